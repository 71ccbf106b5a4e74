-- Purpose: whether writes to a table are recorded, for any purpose.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT EXISTS (SELECT FROM sterna.journaled WHERE relid = $1)
