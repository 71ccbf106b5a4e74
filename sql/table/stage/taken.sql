-- Purpose: which of the relations with the given schemas ($1) and names ($2) exist, except old
--   tables ($3) that sterna keeps: the next exchange drops them.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT c.oid::regclass::text
FROM unnest($1::text[], $2::text[], $3::boolean[]) AS w (schema_name, name, is_old)
INNER JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.schema_name
INNER JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.name
WHERE NOT (w.is_old AND c.oid IN (SELECT s.relid FROM sterna.staging AS s))
ORDER BY 1
