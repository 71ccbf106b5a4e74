-- Purpose: how many writes to a table were carried over in a direction so far.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT coalesce((SELECT entries FROM sterna.carrying WHERE relid = $1 AND toward = $2), 0)
