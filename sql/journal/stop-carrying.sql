-- Purpose: nothing is carried over in that direction any more; whether something still
--   is in the other one.
-- Lock: none. Transaction: yes. Undone by: nothing.
WITH stopped AS (DELETE FROM sterna.carrying WHERE relid = $1 AND toward = $2)
SELECT EXISTS (SELECT FROM sterna.carrying WHERE relid = $1 AND toward <> $2)
