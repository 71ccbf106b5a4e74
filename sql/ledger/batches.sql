-- Purpose: the batches of a load that are in. Lock: none. Transaction: either.
-- Undone by: nothing, it reads.
SELECT file_number, batch_number, row_count, checksum, refused, xid::text
FROM sterna.load_batch
WHERE run_id = $1
