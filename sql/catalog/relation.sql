-- Purpose: finds a relation by its exact schema and name, and the extensions of this database that
--   may keep the rows of a table elsewhere.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT c.oid, c.relkind, c.relispartition, c.relpersistence, ARRAY(
    SELECT e.extname::text
    FROM pg_catalog.pg_extension AS e
    WHERE e.extname IN ('citus', 'timescaledb')
    ORDER BY e.extname
)
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
