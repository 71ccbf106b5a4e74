-- Purpose: fails if the ledger does not have as many batches with rows ($2) and as many rows ($3)
--   of a load ($1) as were committed. A batch whose rows were all refused by the server is
--   committed but holds none.
-- Lock: none. Transaction: yes, after ledger/settle-run.sql, so that nothing else is settled.
-- Undone by: nothing, it only reads.
SELECT sterna.refuse('SN021', 'the server has lost batches that it had confirmed', NULL)
FROM sterna.load_batch
WHERE run_id = $1
HAVING (count(*) FILTER (WHERE row_count > 0), coalesce(sum(row_count), 0)::bigint) <> ($2, $3)
