-- Purpose: takes the rows of some batches out again, found by the transactions that
--   wrote them, so that they are written again without the records refused since.
-- Lock: ROW EXCLUSIVE on staging. Transaction: yes, with ledger/forget-batches.sql.
-- Undone by: the next pass of the load.
DELETE FROM {staging} WHERE xmin::text::bigint = ANY ($1)
