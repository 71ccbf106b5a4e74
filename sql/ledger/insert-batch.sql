-- Purpose: claims a batch, as the first statement of the transaction that writes its rows. A
--   batch that is already committed fails on the primary key. A run that is no longer loading
--   (its staging was emptied in the meantime) fails on NOT NULL, so that a late transaction of
--   a killed client cannot write into a table that others use. Nothing is written if that would
--   run other roles' code.
-- Lock: a row of load_run, shared; ROW EXCLUSIVE on staging.
-- Transaction: yes, that of the batch.
-- Undone by: nothing; it commits or rolls back with its rows.
INSERT INTO sterna.load_batch
    (run_id, file_number, batch_number, first_line, byte_offset, byte_length,
     row_count, checksum, refused)
VALUES
    ((SELECT run_id FROM sterna.load_run
      WHERE run_id = $1 AND state = 'loading' AND sterna.guarded(staging) FOR SHARE),
     $2, $3, $4, $5, $6, $7, $8, $9)
