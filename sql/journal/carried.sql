-- Purpose: how many writes to a table were carried over in a direction so far.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT count(*)
FROM sterna.carrying AS c
INNER JOIN sterna.journal AS e ON e.relid = c.relid
WHERE c.relid = $1 AND c.toward = $2
    AND pg_catalog.pg_visible_in_snapshot(e.xid, c.applied)
    AND NOT pg_catalog.pg_visible_in_snapshot(e.xid, c.since)
