-- Purpose: the rows of a batch that were deleted with the row they referred to, as ON DELETE
--   CASCADE would have done. A batch can lose rows several times.
-- Lock: none, it is new. Transaction: yes, under sterna's setup lock.
-- Undone by: DROP SCHEMA sterna CASCADE, when no load is to be resumed.

CREATE TABLE sterna.load_cascade (
    run_id uuid NOT NULL,
    file_number integer NOT NULL,
    batch_number integer NOT NULL,
    row_count bigint NOT NULL,
    checksum bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- A batch that is removed to be written again takes its losses along.
    FOREIGN KEY (run_id, file_number, batch_number) REFERENCES sterna.load_batch ON DELETE CASCADE
);
CREATE INDEX load_cascade_batch ON sterna.load_cascade (run_id, file_number, batch_number);
