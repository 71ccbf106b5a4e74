-- Purpose: the given tables, with the partitions below them, and those that their foreign keys
--   require for a restore; then, for their definitions alone, the partitioned tables above them.
--   Each partition follows the table that it is a partition of.
-- Lock: none. Transaction: yes, on the backup's snapshot. Undone by: nothing, it only reads.
WITH RECURSIVE needed (oid) AS (
    SELECT oid FROM pg_catalog.pg_class WHERE oid = ANY($1::oid[])
    UNION
    SELECT next.oid
    FROM needed
    CROSS JOIN LATERAL (
        SELECT con.confrelid
        FROM pg_catalog.pg_constraint AS con
        WHERE con.conrelid = needed.oid AND con.contype = 'f'
        UNION ALL
        SELECT i.inhrelid
        FROM pg_catalog.pg_inherits AS i
        INNER JOIN pg_catalog.pg_class AS part ON part.oid = i.inhrelid AND part.relispartition
        WHERE i.inhparent = needed.oid
    ) AS next (oid)
),
saved (oid, height) AS (
    SELECT oid, 0 FROM needed
    UNION
    SELECT i.inhparent, saved.height + 1
    FROM saved
    INNER JOIN pg_catalog.pg_class AS part ON part.oid = saved.oid AND part.relispartition
    INNER JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = saved.oid
)
SELECT n.nspname::text, c.relname::text, c.oid, c.relkind = 'p', c.relkind = 'f'
FROM (SELECT oid, max(height) AS height FROM saved GROUP BY oid) AS highest
INNER JOIN pg_catalog.pg_class AS c ON c.oid = highest.oid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') OR c.relkind = 'f' AND c.relispartition
ORDER BY highest.height DESC, 1, 2
