-- Purpose: the partition of the table of schema $1 and name $2, on whatever level, that was worked on
--   last. No row if none was.
-- Lock: none, it only reads the catalog and the ledger. Transaction: either.
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
SELECT n.nspname::text, c.relname::text
FROM below
INNER JOIN pg_catalog.pg_class AS c ON c.oid = below.oid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN sterna.migration AS m ON m.schema_name = n.nspname AND m.table_name = c.relname
ORDER BY m.started_at DESC
LIMIT 1
