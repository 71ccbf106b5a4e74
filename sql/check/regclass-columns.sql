-- Purpose: columns in which users' tables may keep the identity of a table, which is
--   another one after a switchover.
-- Lock: none, it reads the catalog. Transaction: either. Undone by: nothing, it reads.
SELECT n.nspname::text, c.relname::text, a.attname::text
FROM pg_catalog.pg_attribute AS a
INNER JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE a.atttypid = 'pg_catalog.regclass'::regtype
    AND a.attnum > 0
    AND NOT a.attisdropped
    AND c.relkind = 'r'
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'sterna')
    AND n.nspname NOT LIKE 'pg\_%'
    AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
    AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
ORDER BY 1, 2, 3
