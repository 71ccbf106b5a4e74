-- Purpose: removes the rows of some batches, found by the transactions that wrote them, so that
--   they can be written again without the records refused since.
-- Lock: ROW EXCLUSIVE on staging. Transaction: yes, with ledger/forget-batches.sql.
-- Undone by: the next pass of the load.
DELETE FROM {staging} WHERE xmin::text::bigint = ANY ($1)
