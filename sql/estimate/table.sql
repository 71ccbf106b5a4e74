-- Purpose: the number of rows of the table $1 with its partitions, negative if there is no estimate;
--   and the average size of a row in a COPY, in bytes, NULL unless all columns have statistics.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH RECURSIVE tree (oid) AS (
    SELECT $1::oid
    UNION
    SELECT h.inhrelid FROM pg_catalog.pg_inherits AS h INNER JOIN tree ON h.inhparent = tree.oid
)
SELECT
    (
        -- Of a partitioned table, the partitions know it.
        SELECT coalesce(sum(t.reltuples::float8), -1)
        FROM tree
        INNER JOIN pg_catalog.pg_class AS t ON t.oid = tree.oid AND t.relkind <> 'p'
    ),
    (
        -- COPY puts 2 bytes before each row and 4 before each value.
        SELECT
            CASE WHEN bool_and(s.avg_width IS NOT NULL) THEN
                2 + sum(4 + (1 - s.null_frac) * s.avg_width)
            END
        FROM pg_catalog.pg_attribute AS a
        LEFT JOIN pg_catalog.pg_stats AS s
            ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
            AND s.inherited = (c.relkind = 'p')
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    )::float8
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = $1
