-- Purpose: schema and name of the partitioned table that the table of schema $1 and name $2 is a
--   partition of, on whatever level; its own if it is none. No row if there is no such table.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT top_schema.nspname::text, top.relname::text
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_catalog.pg_class AS top
    ON top.oid = coalesce(pg_catalog.pg_partition_root(c.oid), c.oid)
INNER JOIN pg_catalog.pg_namespace AS top_schema ON top_schema.oid = top.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
