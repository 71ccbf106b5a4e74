-- Name: rows-as-loaded
-- Purpose: every row was written by a load and has not been changed since.
-- Fault: row written or changed by others than a load
-- Severity: error, warning on the live table
-- Not on shards: the transaction that wrote a row is known only to its worker
-- Parameters: {checked_oid}, {shown}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT t.xmin, {shown}
FROM {checked} AS t
WHERE NOT EXISTS (
    SELECT
    FROM sterna.load_batch AS b
    INNER JOIN sterna.load_run AS r USING (run_id)
    WHERE r.staging = {checked_oid} AND r.state <> 'discarded'
        -- Rows that were matched with production's were written again.
        AND coalesce(r.matched, b.xid)::xid = t.xmin
)
