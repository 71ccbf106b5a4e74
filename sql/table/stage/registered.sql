-- Purpose: the OID of the table of this name, if it is sterna's own, and whether it has been
--   attached to another table, or another one to it.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    s.relid,
    EXISTS (
        SELECT FROM pg_catalog.pg_inherits AS h WHERE s.relid IN (h.inhrelid, h.inhparent)
    )
FROM sterna.staging AS s
INNER JOIN pg_catalog.pg_class AS c ON c.oid = s.relid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
