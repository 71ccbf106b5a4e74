-- Purpose: who may use the identity sequences of a table, as statements that take every
--   right of others away and that grant them again.
-- Lock: none, it reads the catalog. Transaction: either.
-- Undone by: nothing, it reads.
WITH sequence AS (
    SELECT s.oid::regclass AS name, s.relowner, s.relacl
    FROM pg_catalog.pg_depend AS d
    INNER JOIN pg_catalog.pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
    WHERE d.classid = 'pg_catalog.pg_class'::regclass
        AND d.refclassid = 'pg_catalog.pg_class'::regclass
        AND d.refobjid = $1
        AND d.deptype = 'i'
)
SELECT
    array_agg(DISTINCT format('REVOKE ALL ON SEQUENCE %s FROM %s CASCADE', s.name, g.name)),
    array_agg(
        format(
            'GRANT %s ON SEQUENCE %s TO %s%s', a.privilege_type, s.name, g.name,
            CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
        ) ORDER BY a.is_grantable DESC, g.name, a.privilege_type
    )
FROM sequence AS s
CROSS JOIN LATERAL pg_catalog.aclexplode(s.relacl) AS a
CROSS JOIN LATERAL (
    SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC'
                ELSE quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END AS name
) AS g
WHERE a.grantee <> s.relowner
GROUP BY s.name
