-- Purpose: whether there are synonyms in the ledger, and whether this role may
--   read them. Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT
    has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'sterna' AND c.relname = 'synonym'
