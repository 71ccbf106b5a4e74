-- Purpose: stops carrying writes over in one direction if they are still carried over in the
--   other; returns whether they are. If not, the whole journal ends.
-- Lock: none. Transaction: either. Undone by: nothing.
WITH stopped AS (
    DELETE FROM sterna.carrying AS c
    WHERE c.relid = $1 AND c.toward = $2
        AND EXISTS (SELECT FROM sterna.carrying AS o WHERE o.relid = $1 AND o.toward <> $2)
)
SELECT EXISTS (SELECT FROM sterna.carrying WHERE relid = $1 AND toward <> $2)
