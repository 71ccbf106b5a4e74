-- Purpose: the transaction that has matched the rows of a load with production's, as
--   rows show it; NULL where none has.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT matched::xid::text FROM sterna.load_run WHERE run_id = $1
