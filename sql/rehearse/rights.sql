-- Purpose: the statements that give roles elsewhere the memberships that they have here, and
--   rights on the database, which has the same name there. $1 are the roles, $2 the one that
--   runs the plan. A superuser here is an ordinary role there: it may read and write
--   everything, and if it runs the plan it is a member of all others. Nobody gets access to
--   anything outside the database: the server's files and programs, and other servers.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH right_of_database AS (
    SELECT d.datname, d.datdba, a.grantee, a.privilege_type, a.is_grantable
    FROM pg_catalog.pg_database AS d
    CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
    WHERE d.datname = current_database()
)
SELECT statement
FROM (
    SELECT 1, format('ALTER DATABASE %I OWNER TO %I', current_database(), pg_get_userbyid(datdba))
    FROM pg_catalog.pg_database WHERE datname = current_database()
    UNION ALL
    SELECT 2, format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database())
    UNION ALL
    SELECT
        3,
        format(
            'GRANT %s ON DATABASE %I TO %s%s',
            privilege_type,
            datname,
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
            CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
        )
    FROM right_of_database
    WHERE grantee <> datdba
    UNION ALL
    SELECT
        4,
        format(
            'GRANT %I TO %I%s',
            pg_get_userbyid(m.roleid),
            pg_get_userbyid(m.member),
            CASE WHEN m.admin_option THEN ' WITH ADMIN OPTION' ELSE '' END
        )
    FROM pg_catalog.pg_auth_members AS m
    WHERE pg_get_userbyid(m.member) = ANY ($1)
        AND pg_get_userbyid(m.roleid) NOT IN (
            'pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files',
            'pg_create_subscription'
        )
        -- That would be a circular membership.
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_roles AS r
            WHERE r.oid = m.roleid AND r.rolname = $2 AND r.rolsuper
        )
    UNION ALL
    SELECT 5, format('GRANT pg_read_all_data, pg_write_all_data, pg_monitor TO %I', rolname)
    FROM pg_catalog.pg_roles
    WHERE rolsuper AND rolname = ANY ($1)
    UNION ALL
    SELECT 6, format('GRANT %I TO %I', other.rolname, me.rolname)
    FROM pg_catalog.pg_roles AS me
    CROSS JOIN pg_catalog.pg_roles AS other
    WHERE me.rolsuper
        AND me.rolname = $2
        AND other.rolname = ANY ($1)
        AND other.rolname <> $2
) AS needed (position, statement)
ORDER BY position, statement
