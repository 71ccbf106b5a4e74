-- Purpose: whether a table is sterna's own.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT EXISTS (SELECT FROM sterna.staging WHERE relid = $1)
