-- Purpose: the partitions of a table ($1) that its journal, if there is one, does not account for:
--   those whose writes it does not record, because they were added after it began or their triggers
--   were disabled; and those of the old table whose counterparts have been detached or dropped
--   since. Which of the two it is, and whether a rollback needs the journal.
-- Lock: ACCESS SHARE on the partitions. Transaction: either. Undone by: nothing, it only reads.
WITH RECURSIVE journal AS (
    SELECT EXISTS (
        SELECT FROM sterna.carrying AS c WHERE c.relid = j.relid AND c.toward = 'old'
    ) AS is_needed
    FROM sterna.journaled AS j
    WHERE j.relid = $1
),
tree (root, oid, place) AS (
    SELECT $1::oid, $1::oid, ''
    UNION ALL
    SELECT s.old_relid, s.old_relid, ''
    FROM sterna.switchover AS s WHERE s.new_relid = $1 AND s.state = 'switched'
    UNION ALL
    SELECT tree.root, c.oid, tree.place || '/'
        || pg_catalog.pg_get_expr(c.relpartbound, c.oid) COLLATE pg_catalog."default"
    FROM tree
    INNER JOIN pg_catalog.pg_inherits AS h ON h.inhparent = tree.oid
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = h.inhrelid AND c.relispartition
)
SELECT h::regclass::text, true, journal.is_needed
FROM journal CROSS JOIN LATERAL sterna.unarmed($1) AS h
WHERE h <> $1
UNION ALL
SELECT old.oid::regclass::text, false, true
FROM journal
CROSS JOIN tree AS old
INNER JOIN sterna.staging AS s ON s.relid = old.oid AND s.of = old.root
WHERE journal.is_needed AND old.root <> $1
    AND NOT EXISTS (SELECT FROM tree AS live WHERE live.root = $1 AND live.place = old.place)
ORDER BY 2, 1
