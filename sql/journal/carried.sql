-- Purpose: the number of writes to a table carried over so far in one direction.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT coalesce((SELECT entries FROM sterna.carrying WHERE relid = $1 AND toward = $2), 0)
