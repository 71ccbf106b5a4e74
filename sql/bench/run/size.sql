-- Purpose: the size of a table with its partitions, the pages of the largest of these, and the
--   columns that have planner statistics: pg_stats shows those to roles that may read the columns.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
WITH RECURSIVE tree (oid) AS (
    SELECT $1::oid
    UNION
    SELECT h.inhrelid FROM pg_catalog.pg_inherits AS h INNER JOIN tree ON h.inhparent = tree.oid
),
stored AS (
    SELECT
        -- Of a partitioned table, the partitions know it.
        sum(c.reltuples::double precision) FILTER (WHERE c.relkind <> 'p') AS estimated_rows,
        sum(pg_catalog.pg_table_size(c.oid))::bigint AS table_bytes,
        sum(pg_catalog.pg_indexes_size(c.oid))::bigint AS index_bytes,
        sum(size.pages)::bigint AS pages,
        max(size.pages) AS pages_of_largest
    FROM tree
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = tree.oid
    CROSS JOIN LATERAL (
        SELECT pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::bigint AS pages
    ) AS size
)
SELECT
    EXISTS (SELECT FROM {trade}) AS has_rows,
    coalesce(stored.estimated_rows, -1) AS estimated_rows,
    stored.table_bytes,
    stored.index_bytes,
    stored.pages,
    ARRAY(
        SELECT s.attname::text
        FROM pg_catalog.pg_stats AS s
        WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND s.inherited = (c.relkind = 'p')
        ORDER BY s.attname
    ) AS columns_with_statistics,
    stored.pages_of_largest
FROM pg_catalog.pg_class AS c
CROSS JOIN stored
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = $1
