-- Purpose: the OIDs of the relations with the given schemas ($1) and names ($2), in their order;
--   NULL for one that does not exist.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT c.oid
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (schema_name, name, position)
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.schema_name
LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.name
ORDER BY w.position
