-- Purpose: how many rows each committed batch of a load has.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT file_number, batch_number, row_count FROM sterna.load_batch WHERE run_id = $1
