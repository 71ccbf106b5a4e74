-- Purpose: finds a relation by its exact schema and name.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT c.oid, c.relkind, c.relispartition, c.relpersistence
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
