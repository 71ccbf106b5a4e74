-- Purpose: the planner's estimate of a table's row count; negative if it has none.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT c.reltuples::float8
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
