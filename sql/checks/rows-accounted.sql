-- Name: rows-accounted
-- Purpose: there are as many rows as the ledger's loads wrote. If a species was deleted
--   since, its rows went with it, and only a new load accounts for that.
-- Severity: error
-- Form: figures
-- Applies to: staging
-- Parameters: {checked_oid}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT
    (
        SELECT coalesce(sum((report ->> 'rows_loaded')::bigint), 0)
        FROM sterna.load_run
        WHERE staging = {checked_oid} AND state <> 'discarded'
    ) - (
        SELECT coalesce(sum(c.row_count), 0)
        FROM sterna.load_cascade AS c
        INNER JOIN sterna.load_run AS r USING (run_id)
        WHERE r.staging = {checked_oid} AND r.state <> 'discarded'
    ) AS expected,
    (SELECT count(*) FROM {checked}) AS observed
