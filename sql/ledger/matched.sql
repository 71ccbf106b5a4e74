-- Purpose: the transaction that matched the rows of a load with production's, in the form of
--   xmin; NULL if there is none.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT matched::xid::text FROM sterna.load_run WHERE run_id = $1
