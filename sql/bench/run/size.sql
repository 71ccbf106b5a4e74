-- Purpose: the size of a table, and the columns that have planner statistics: pg_stats shows
--   those to roles that may read the columns.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
SELECT
    EXISTS (SELECT FROM {trade}) AS has_rows,
    c.reltuples::double precision AS estimated_rows,
    pg_catalog.pg_table_size(c.oid) AS table_bytes,
    pg_catalog.pg_indexes_size(c.oid) AS index_bytes,
    pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::bigint AS pages,
    ARRAY(
        SELECT s.attname::text
        FROM pg_catalog.pg_stats AS s
        WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND NOT s.inherited
        ORDER BY s.attname
    ) AS columns_with_statistics
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = $1
