-- Purpose: how many batches of a load hold rows, and how many; a batch whose rows
--   the server refused, all of them, is in but holds none.
-- Lock: none. Transaction: yes, that of ledger/settle-run.sql.
-- Undone by: nothing, it reads.
SELECT count(*) FILTER (WHERE row_count > 0), coalesce(sum(row_count), 0)::bigint
FROM sterna.load_batch
WHERE run_id = $1
