-- Purpose: whether this role may read the ledger of runs; no row if there is none.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    pg_catalog.has_schema_privilege(n.oid, 'USAGE')
    AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'sterna' AND c.relname = 'migration'
