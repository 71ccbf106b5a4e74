-- Purpose: fails if a table ($1) that is to be emptied or dropped has been attached to another one,
--   or to it a table that was not registered with it: the rows belong to others then. The detail is
--   what separates them.
-- Lock: ACCESS EXCLUSIVE on the table keeps the answer true. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT sterna.refuse(
    'SN022',
    format(
        CASE WHEN m.is_own THEN '%s is a part of %s, by which a whole partitioned table is replaced'
            ELSE '%s has been attached to %s' END,
        h.inhrelid::regclass, h.inhparent::regclass
    ),
    CASE WHEN NOT m.is_own THEN format(
        CASE WHEN c.relispartition THEN 'ALTER TABLE %2$s DETACH PARTITION %1$s'
            ELSE 'ALTER TABLE %1$s NO INHERIT %2$s' END,
        h.inhrelid::regclass, h.inhparent::regclass
    ) END
)
FROM pg_catalog.pg_inherits AS h
INNER JOIN pg_catalog.pg_class AS c ON c.oid = h.inhrelid
CROSS JOIN LATERAL (
    SELECT h.inhrelid = $1 AND EXISTS (
        SELECT FROM sterna.staging AS s
        INNER JOIN sterna.staging AS above ON above.of = s.of
        WHERE s.relid = $1 AND above.relid = h.inhparent
    ) AS is_own
) AS m
WHERE h.inhrelid = $1
    OR (h.inhparent = $1
        OR h.inhparent IN (SELECT t.relid FROM pg_catalog.pg_partition_tree($1) AS t))
    AND h.inhrelid NOT IN (SELECT s.relid FROM sterna.staging AS s WHERE s.of = $1)
LIMIT 1
