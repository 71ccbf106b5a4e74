-- Purpose: how many pages staging has now; if it is partitioned, the largest partition.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT max(pg_catalog.pg_relation_size(t.relid)) / current_setting('block_size')::bigint
FROM (
    SELECT $1::oid AS relid UNION SELECT p.relid::oid FROM pg_catalog.pg_partition_tree($1) AS p
) AS t
