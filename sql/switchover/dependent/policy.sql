-- Purpose: a policy of another table whose conditions read the replaced one, as the
--   statement that has them read the new one.
-- Lock: none, it reads the catalog. Transaction: either.
-- Undone by: nothing, it reads.
SELECT ARRAY[format(
    'ALTER POLICY %I ON %s%s%s',
    p.polname,
    p.polrelid::regclass,
    ' USING (' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) || ')',
    ' WITH CHECK (' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) || ')'
)]
FROM pg_catalog.pg_policy AS p
WHERE p.oid = $1
