-- Purpose: the partitions below a table ($1, a schema, and $2), on any level, with their schemas
--   and OIDs.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
WITH RECURSIVE below (oid) AS (
    SELECT h.inhrelid
    FROM pg_catalog.pg_inherits AS h
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = h.inhparent AND c.relkind = 'p'
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2
    UNION
    SELECT h.inhrelid FROM pg_catalog.pg_inherits AS h INNER JOIN below ON h.inhparent = below.oid
)
SELECT n.nspname::text, c.relname::text, c.oid
FROM below
INNER JOIN pg_catalog.pg_class AS c ON c.oid = below.oid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
ORDER BY n.nspname, c.relname
