-- Purpose: the statements that give tables of staging ($2) the owners of their counterparts ($1).
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT format('ALTER TABLE %s OWNER TO %I', s.oid::regclass,
    pg_catalog.pg_get_userbyid(p.relowner))
FROM unnest($1::oid[], $2::oid[]) AS pair (production, staging)
INNER JOIN pg_catalog.pg_class AS p ON p.oid = pair.production
INNER JOIN pg_catalog.pg_class AS s ON s.oid = pair.staging
WHERE p.relowner <> s.relowner
