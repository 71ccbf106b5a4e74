-- Purpose: how many batches of a load hold rows, and how many rows. A batch whose rows were all
--   refused by the server is committed but holds none.
-- Lock: none. Transaction: yes, that of ledger/settle-run.sql.
-- Undone by: nothing, it only reads.
SELECT count(*) FILTER (WHERE row_count > 0), coalesce(sum(row_count), 0)::bigint
FROM sterna.load_batch
WHERE run_id = $1
