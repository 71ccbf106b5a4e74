-- Purpose: forgets batches whose rows were removed from staging.
-- Lock: none. Transaction: yes, with load/unwrite.sql. Undone by: the next pass of the load.
DELETE FROM sterna.load_batch
WHERE run_id = $1 AND (file_number, batch_number) IN (SELECT * FROM unnest($2::int[], $3::int[]))
