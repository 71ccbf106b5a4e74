-- Purpose: every role that a dump of this database names, with the statement that creates it
--   elsewhere: without a password, and without login except for the role that asks, $1. A role
--   that could make itself a superuser here (by an attribute) cannot do so there, because what
--   is restored there runs as one of them.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH RECURSIVE
this AS (
    SELECT oid, datdba FROM pg_catalog.pg_database WHERE datname = current_database()
),
named (oid) AS (
    SELECT s.refobjid
    FROM pg_catalog.pg_shdepend AS s
    INNER JOIN this ON s.dbid = this.oid
        OR (s.classid = 'pg_catalog.pg_database'::regclass AND s.objid = this.oid)
    WHERE s.refclassid = 'pg_catalog.pg_authid'::regclass
    UNION
    SELECT this.datdba FROM this
    UNION
    SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname IN ($1::text, current_user::text)
    UNION
    -- The catalog keeps no dependencies of initdb's superuser.
    SELECT 10::oid
    UNION
    SELECT m.roleid FROM named INNER JOIN pg_catalog.pg_auth_members AS m ON m.member = named.oid
)
SELECT
    r.rolname::text,
    format(
        'CREATE ROLE %I %s',
        r.rolname,
        concat_ws(
            ' ',
            CASE WHEN r.rolname = $1::text THEN 'LOGIN' ELSE 'NOLOGIN' END,
            CASE WHEN r.rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END,
            'NOSUPERUSER NOCREATEROLE NOREPLICATION',
            CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
            CASE WHEN r.rolbypassrls OR r.rolsuper THEN 'BYPASSRLS' END
        )
    )
FROM named
INNER JOIN pg_catalog.pg_roles AS r ON r.oid = named.oid
-- The server's own roles exist everywhere.
WHERE r.rolname NOT LIKE 'pg\_%'
ORDER BY 1
