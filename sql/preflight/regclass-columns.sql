-- Purpose: columns in which users' tables may store the identity of a table, which changes with
--   a switchover.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT n.nspname::text, c.relname::text, a.attname::text, c.oid
FROM pg_catalog.pg_attribute AS a
INNER JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE a.atttypid = 'pg_catalog.regclass'::regtype
    AND a.attnum > 0
    AND NOT a.attisdropped
    AND c.relkind = 'r'
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'sterna')
    AND n.nspname NOT LIKE 'pg\_%'
    -- Only those of superusers, of this role and of the owner of the table that is replaced.
    AND (
        c.relowner = (SELECT t.relowner FROM pg_catalog.pg_class AS t WHERE t.oid = $1)
        OR c.relowner IN (
            SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolsuper OR r.rolname = current_user
        )
    )
    AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
    AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
ORDER BY 1, 2, 3
