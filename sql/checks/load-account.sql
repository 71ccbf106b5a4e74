-- Name: load-account
-- Purpose: the account of every load adds up: what it read is loaded, rejected, unmapped or
--   filtered, and its files and batches add up to what it reports.
-- Fault: load whose account does not add up
-- Severity: error
-- Applies to: staging
-- Parameters: {checked_oid}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT r.run_id, a.rows_read, a.rows_loaded, b.in_batches, f.in_files
FROM sterna.load_run AS r
CROSS JOIN LATERAL jsonb_to_record(r.report) AS a (
    rows_read bigint, rows_loaded bigint, rows_rejected bigint, rows_unmapped bigint,
    rows_filtered bigint
)
CROSS JOIN LATERAL (
    SELECT coalesce(sum(row_count), 0) AS in_batches
    FROM sterna.load_batch
    WHERE run_id = r.run_id
) AS b
CROSS JOIN LATERAL (
    SELECT coalesce(sum((account ->> 'rows_loaded')::bigint), 0) AS in_files
    FROM sterna.load_file
    WHERE run_id = r.run_id
) AS f
WHERE r.staging = {checked_oid} AND r.state <> 'discarded' AND (
    a.rows_loaded <> b.in_batches OR a.rows_loaded <> f.in_files
    OR a.rows_read <> a.rows_loaded + a.rows_rejected + a.rows_unmapped + a.rows_filtered
)
