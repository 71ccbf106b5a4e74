-- Purpose: whether writes to a table are noted down, as they must have been without
--   a gap, by both triggers, always; and what is to be carried over, in a direction.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT
    j.row_count,
    c.added,
    c.removed,
    (
        SELECT count(*)
        FROM pg_catalog.pg_trigger AS t
        INNER JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
        WHERE t.tgrelid = j.relid
            AND t.tgenabled = 'A'
            AND p.proname = 'journal'
            AND p.pronamespace = pg_catalog.to_regnamespace('sterna')
    ) = 2,
    count(e.seq) FILTER (WHERE NOT pg_catalog.pg_visible_in_snapshot(e.xid, c.applied)),
    count(e.seq) FILTER (WHERE e.operation = 'INSERT'),
    count(e.seq) FILTER (WHERE e.operation = 'DELETE')
FROM sterna.journaled AS j
INNER JOIN sterna.carrying AS c ON c.relid = j.relid AND c.toward = $2
LEFT JOIN sterna.journal AS e ON e.relid = j.relid
WHERE j.relid = $1
GROUP BY j.relid, c.relid, c.toward
