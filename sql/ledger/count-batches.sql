-- Purpose: how many batches of a load are in, and how many rows they hold.
-- Lock: none. Transaction: yes, that of ledger/settle-run.sql.
-- Undone by: nothing, it reads.
SELECT count(*), coalesce(sum(row_count), 0)::bigint FROM sterna.load_batch WHERE run_id = $1
