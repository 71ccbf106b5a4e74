-- Purpose: the policies of a table: statements that drop them and create them again.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT
    ARRAY[format('DROP POLICY %I ON %s', p.polname, p.polrelid::regclass)],
    array_remove(ARRAY[
        format(
            'CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s',
            p.polname,
            p.polrelid::regclass,
            CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
            CASE p.polcmd
                WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                WHEN 'd' THEN 'DELETE' ELSE 'ALL'
            END,
            (
                SELECT string_agg(
                    CASE WHEN role = 0 THEN 'PUBLIC'
                         ELSE quote_ident(pg_catalog.pg_get_userbyid(role)) END, ', '
                )
                FROM unnest(p.polroles) AS role
            ),
            ' USING (' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) || ')',
            ' WITH CHECK (' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) || ')'
        ),
        CASE WHEN d.description IS NOT NULL THEN
            format('COMMENT ON POLICY %I ON %s IS %L', p.polname, p.polrelid::regclass, d.description)
        END
    ], NULL)
FROM pg_catalog.pg_policy AS p
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = p.oid AND d.classoid = 'pg_catalog.pg_policy'::regclass
WHERE p.polrelid = $1
ORDER BY p.polname
