-- Purpose: the statement that makes a policy of another table, whose conditions read the
--   replaced table, read the new one.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT ARRAY[format(
    'ALTER POLICY %I ON %s%s%s',
    p.polname,
    p.polrelid::regclass,
    ' USING (' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) || ')',
    ' WITH CHECK (' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) || ')'
)]
FROM pg_catalog.pg_policy AS p
WHERE p.oid = $1
