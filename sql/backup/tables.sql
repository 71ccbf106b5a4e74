-- Purpose: the given tables, and those that their foreign keys require for a restore.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH RECURSIVE needed (oid) AS (
    SELECT oid FROM pg_catalog.pg_class WHERE oid = ANY($1::oid[])
    UNION
    SELECT con.confrelid
    FROM needed
    INNER JOIN pg_catalog.pg_constraint AS con ON con.conrelid = needed.oid
    WHERE con.contype = 'f'
)
SELECT n.nspname::text, c.relname::text, c.oid
FROM needed
INNER JOIN pg_catalog.pg_class AS c ON c.oid = needed.oid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r'
ORDER BY 1, 2
