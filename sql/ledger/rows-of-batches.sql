-- Purpose: how many rows each batch of a load has that is in. Lock: none.
-- Transaction: either. Undone by: nothing, it reads.
SELECT file_number, batch_number, row_count FROM sterna.load_batch WHERE run_id = $1
