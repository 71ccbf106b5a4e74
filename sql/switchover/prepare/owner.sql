-- Purpose: the statement that gives staging the owner of production.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT format('ALTER TABLE %s OWNER TO %I', s.oid::regclass,
    pg_catalog.pg_get_userbyid(p.relowner))
FROM pg_catalog.pg_class AS p, pg_catalog.pg_class AS s
WHERE p.oid = $1 AND s.oid = $2 AND p.relowner <> s.relowner
