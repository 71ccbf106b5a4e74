-- Purpose: nothing is carried over in that direction any more, where something still is in
--   the other one; whether it is. Otherwise the journal ends as a whole.
-- Lock: none. Transaction: either. Undone by: nothing.
WITH stopped AS (
    DELETE FROM sterna.carrying AS c
    WHERE c.relid = $1 AND c.toward = $2
        AND EXISTS (SELECT FROM sterna.carrying AS o WHERE o.relid = $1 AND o.toward <> $2)
)
SELECT EXISTS (SELECT FROM sterna.carrying WHERE relid = $1 AND toward <> $2)
