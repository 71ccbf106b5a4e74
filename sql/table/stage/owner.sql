-- Purpose: the statements that give new tables ($2) the owners of their counterparts ($1), if this
--   role has that owner's rights: otherwise it could not replace the table either. Partitioned
--   tables belong to this role until the exchange, as table/stage/claim.sql says.
-- Lock: none, it only reads the catalog.
-- Transaction: yes, that of table/stage/create.sql, after the revokes.
-- Undone by: nothing, it only reads.
SELECT format('ALTER TABLE %s OWNER TO %I', s.oid::regclass,
    pg_catalog.pg_get_userbyid(p.relowner))
FROM unnest($1::oid[], $2::oid[]) AS pair (production, staging)
INNER JOIN pg_catalog.pg_class AS p ON p.oid = pair.production
INNER JOIN pg_catalog.pg_class AS s ON s.oid = pair.staging
INNER JOIN pg_catalog.pg_roles AS me ON me.rolname = current_user
WHERE p.relowner <> s.relowner AND s.relkind <> 'p'
    AND (me.rolsuper OR pg_catalog.pg_has_role(p.relowner, 'USAGE')
        AND pg_catalog.has_schema_privilege(p.relowner, s.relnamespace, 'CREATE'))
