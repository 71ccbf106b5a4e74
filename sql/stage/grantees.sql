-- Purpose: roles other than the owner to whom default privileges gave rights;
--   PUBLIC, which is no role, as NULL.
-- Lock: none. Transaction: yes. Undone by: nothing, it reads.
SELECT DISTINCT pg_catalog.pg_get_userbyid(nullif(a.grantee, 0))::text
FROM pg_catalog.pg_class AS c, LATERAL pg_catalog.aclexplode(c.relacl) AS a
WHERE c.oid = $1 AND a.grantee <> c.relowner
