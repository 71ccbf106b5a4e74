-- Purpose: of a partition ($1): the columns by which the tables above it are partitioned, without
--   repetitions, and whether by an expression as well; the type of the first one, if it is an integer; and the condition that its bounds
--   put on its rows. No row for a table that is no partition.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT
    array_agg(DISTINCT a.attname::text) FILTER (WHERE a.attname IS NOT NULL),
    bool_or(k.partexprs IS NOT NULL),
    min(pg_catalog.format_type(a.atttypid, NULL)) FILTER (WHERE a.atttypid IN (20, 21, 23)),
    pg_catalog.pg_get_partition_constraintdef(leaf.oid)
FROM pg_catalog.pg_class AS leaf
CROSS JOIN LATERAL pg_catalog.pg_partition_ancestors(leaf.oid) AS above
INNER JOIN pg_catalog.pg_partitioned_table AS k ON k.partrelid = above.relid
LEFT JOIN pg_catalog.pg_attribute AS a
    ON a.attrelid = k.partrelid AND a.attnum = ANY (k.partattrs::smallint[])
WHERE leaf.oid = $1 AND leaf.relispartition AND leaf.relkind = 'r'
GROUP BY leaf.oid
