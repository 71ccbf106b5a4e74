-- Purpose: the statements that allow the role that restores, $1, to give what it creates to any
--   role, and every role to receive it: an owner must be able to create the object itself,
--   which a superuser's restore does not require. $2 is the group that lends them this right
--   until the restore is over. Each comes with what has to be undone then in addition to
--   leave-roles.sql.
-- Lock: none. Transaction: either. Undone by: leave-roles.sql.
WITH of_production AS (
    SELECT r.rolname, r.rolinherit, current_setting('server_version_num')::integer AS version
    FROM pg_catalog.pg_roles AS r
    WHERE r.rolname <> ALL (ARRAY[$1::text, $2::text, current_user::text])
        AND r.rolname NOT LIKE 'pg\_%'
)
SELECT statement, undoing
FROM (
    SELECT 1, format('CREATE ROLE %I', $2::text), NULL
    UNION ALL
    SELECT
        2,
        format('GRANT CREATE, TEMPORARY ON DATABASE %I TO %I', current_database(), $2::text),
        NULL
    UNION ALL
    SELECT 3, format('GRANT %I TO %I', rolname, $1::text), NULL FROM of_production
    UNION ALL
    -- Whether rights are inherited is a property of the role before version 16, and of the
    -- membership since.
    SELECT
        4,
        format('ALTER ROLE %I INHERIT', rolname),
        format('ALTER ROLE %I NOINHERIT', rolname)
    FROM of_production
    WHERE NOT rolinherit AND version < 160000
    UNION ALL
    SELECT
        5,
        format(
            'GRANT %I TO %I%s',
            $2::text,
            rolname,
            CASE WHEN version >= 160000 THEN ' WITH INHERIT TRUE' ELSE '' END
        ),
        NULL
    FROM of_production
) AS needed (position, statement, undoing)
ORDER BY position, statement
