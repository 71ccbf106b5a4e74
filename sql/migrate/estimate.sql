-- Purpose: about how many rows a table has, as the planner believes; negative where it
--   was never told. Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT c.reltuples::float8
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
