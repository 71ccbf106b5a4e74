-- Purpose: the statement that gives staging ($2) the owner of the table ($1), if this role has
--   that owner's rights: otherwise it could not replace the table either.
-- Lock: none, it only reads the catalog.
-- Transaction: yes, that of table/stage/create.sql, after the revokes.
-- Undone by: nothing, it only reads.
SELECT format('ALTER TABLE %s OWNER TO %I', s.oid::regclass,
    pg_catalog.pg_get_userbyid(p.relowner))
FROM pg_catalog.pg_class AS p, pg_catalog.pg_class AS s, pg_catalog.pg_roles AS me
WHERE p.oid = $1
    AND s.oid = $2
    AND me.rolname = current_user
    AND p.relowner <> s.relowner
    AND (me.rolsuper OR pg_catalog.pg_has_role(p.relowner, 'USAGE')
        AND pg_catalog.has_schema_privilege(p.relowner, s.relnamespace, 'CREATE'))
