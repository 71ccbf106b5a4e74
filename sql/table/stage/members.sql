-- Purpose: a table ($1) and the partitions below it, each after the one that it is a partition
--   of: what a table like it is created with, and its place. Since PostgreSQL 17, partitions have
--   the identity of the partitioned table.
-- Lock: ACCESS SHARE on the partitions. Transaction: either. Undone by: nothing, it only reads.
SELECT
    c.oid,
    n.nspname::text,
    c.relname::text,
    CASE
        WHEN c.oid = $1 OR pg_catalog.current_setting('server_version_num')::integer < 170000
        THEN 'INCLUDING IDENTITY' ELSE ''
    END,
    coalesce(
        'PARTITION BY ' || CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END, ''
    ),
    h.inhparent,
    pg_catalog.pg_get_expr(c.relpartbound, c.oid)
FROM pg_catalog.pg_partition_tree($1) AS t
INNER JOIN pg_catalog.pg_class AS c ON c.oid = t.relid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = c.oid AND c.oid <> $1
ORDER BY t.level, c.oid
