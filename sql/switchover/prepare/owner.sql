-- Purpose: staging's owner is to be production's. Lock: none, it reads the catalog.
-- Transaction: either. Undone by: nothing, it reads.
SELECT format('ALTER TABLE %s OWNER TO %I', s.oid::regclass,
    pg_catalog.pg_get_userbyid(p.relowner))
FROM pg_catalog.pg_class AS p, pg_catalog.pg_class AS s
WHERE p.oid = $1 AND s.oid = $2 AND p.relowner <> s.relowner
