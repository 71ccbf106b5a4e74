-- Purpose: finds a relation by its exact schema and name, the extensions of this database that may
--   keep the rows of a table elsewhere, and schema and name of the partitioned table that it is a
--   partition of, on whatever level: its own if it is none.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT c.oid, c.relkind, c.relispartition, c.relpersistence, ARRAY(
    SELECT e.extname::text
    FROM pg_catalog.pg_extension AS e
    WHERE e.extname IN ('citus', 'timescaledb')
    ORDER BY e.extname
), top_schema.nspname::text, top.relname::text
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_catalog.pg_class AS top
    ON top.oid = coalesce(pg_catalog.pg_partition_root(c.oid), c.oid)
INNER JOIN pg_catalog.pg_namespace AS top_schema ON top_schema.oid = top.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
