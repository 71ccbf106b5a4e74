-- Purpose: a table ($1), the partitions below it, and what has a name of its own in the schema and
--   changes hands with them: indexes, identity sequences, extended statistics. Each with the
--   relation that it belongs to, which comes before it; an index of a partition also with the one
--   that it belongs to, and a partition with its bound.
-- Lock: ACCESS SHARE on the partitions. Transaction: either.
-- Undone by: nothing, it only reads.
WITH tree AS (
    SELECT c.oid, c.relname, n.nspname, c.relpartbound, coalesce(t.level, 0) AS level, h.inhparent
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_partition_tree($1) AS t ON t.relid = c.oid
    LEFT JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = c.oid AND c.oid <> $1
    WHERE c.oid = $1 OR t.relid IS NOT NULL
)
SELECT 'table' AS kind, t.oid, t.nspname::text, t.relname::text AS name, NULL::text,
    coalesce(t.inhparent, 0::oid), 0::oid, pg_catalog.pg_get_expr(t.relpartbound, t.oid), t.level, 0
FROM tree AS t
UNION ALL
SELECT 'index', c.oid, n.nspname::text, c.relname::text, NULL, t.oid, coalesce(h.inhparent, 0::oid),
    NULL, t.level, 1
FROM tree AS t
INNER JOIN pg_catalog.pg_index AS i ON i.indrelid = t.oid
INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = c.oid
UNION ALL
SELECT 'sequence', c.oid, n.nspname::text, c.relname::text, a.attname::text, t.oid, 0, NULL, t.level, 1
FROM tree AS t
INNER JOIN pg_catalog.pg_depend AS d
    ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = t.oid AND d.deptype = 'i'
    AND d.classid = 'pg_catalog.pg_class'::regclass
INNER JOIN pg_catalog.pg_class AS c ON c.oid = d.objid AND c.relkind = 'S'
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
UNION ALL
SELECT 'statistics', e.oid, n.nspname::text, e.stxname::text, NULL, t.oid, 0, NULL, t.level, 1
FROM tree AS t
INNER JOIN pg_catalog.pg_statistic_ext AS e ON e.stxrelid = t.oid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = e.stxnamespace
ORDER BY 9, 10, 1, 4
