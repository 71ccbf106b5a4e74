-- Purpose: whether this role may read the synonyms in the ledger; no row if there are none.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'sterna' AND c.relname = 'synonym'
