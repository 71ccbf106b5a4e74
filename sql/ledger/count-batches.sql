-- Purpose: how many batches of a load hold rows, and how many. A batch without a
--   row is in the ledger only where the server refused all of its records.
-- Lock: none. Transaction: yes, that of ledger/settle-run.sql.
-- Undone by: nothing, it reads.
SELECT count(*), coalesce(sum(row_count), 0)::bigint
FROM sterna.load_batch
WHERE run_id = $1 AND row_count > 0
