-- Purpose: the partitions below a table ($1).
-- Lock: ACCESS SHARE on them. Transaction: either. Undone by: nothing, it only reads.
SELECT n.nspname::text, c.relname::text
FROM pg_catalog.pg_partition_tree($1) AS t
INNER JOIN pg_catalog.pg_class AS c ON c.oid = t.relid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid <> $1
