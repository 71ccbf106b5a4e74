-- Purpose: the OID of the table of this name, if it is sterna's own.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT s.relid
FROM sterna.staging AS s
INNER JOIN pg_catalog.pg_class AS c ON c.oid = s.relid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
