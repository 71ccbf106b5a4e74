-- Purpose: writes the rows of a batch.
-- Lock: ROW EXCLUSIVE on staging. Transaction: yes, after ledger/insert-batch.sql.
-- Undone by: table/stage/truncate.sql.
COPY {staging} ({columns}) FROM STDIN (FORMAT binary)
