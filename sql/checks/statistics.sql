-- Name: statistics
-- Purpose: the planner's statistics are up to date: the number of rows is right to within a
--   tenth, and every column has statistics.
-- Fault: table with statistics that are out of date
-- Severity: error
-- Not on shards: the coordinator has no statistics of the shards
-- Parameters: {checked_oid}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT c.reltuples::bigint AS rows_by_statistics, n.row_count AS observed, k.missing AS columns_without
FROM pg_catalog.pg_class AS c
CROSS JOIN (SELECT count(*) AS row_count FROM {checked}) AS n
CROSS JOIN (
    SELECT count(*) AS missing
    FROM pg_catalog.pg_class AS r
    INNER JOIN pg_catalog.pg_namespace AS m ON m.oid = r.relnamespace
    INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid
    LEFT JOIN pg_catalog.pg_stats AS s
        ON s.schemaname = m.nspname AND s.tablename = r.relname
        AND s.attname = a.attname
    WHERE r.oid = {checked_oid} AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attstattarget IS DISTINCT FROM 0 AND s.attname IS NULL
) AS k
WHERE c.oid = {checked_oid} AND (
    c.reltuples < 0 OR abs(c.reltuples - n.row_count) > greatest(n.row_count * 0.1, 10)
    OR (k.missing > 0 AND n.row_count > 0)
)
