-- Purpose: whether rows are still those of the ledger's loads: how many there are, and how many
--   no load wrote or were changed since.
-- Lock: ACCESS SHARE on the table.
-- Transaction: either; the answer stays true under a lock that keeps writers out.
-- Undone by: nothing, it only reads.
SELECT
    count(*),
    count(*) FILTER (WHERE NOT (t.xmin IN (
        SELECT coalesce(r.matched, b.xid)::xid
        FROM sterna.load_batch AS b
        INNER JOIN sterna.load_run AS r USING (run_id)
        WHERE r.staging = $1 AND r.state <> 'discarded'
    )))
FROM {checked} AS t
