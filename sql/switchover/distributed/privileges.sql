-- Purpose: the rights that the owner of a table has granted to others: statements that revoke
--   them and grant them again.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
WITH granted AS (
    SELECT
        c.oid,
        CASE WHEN g.grantee = 0 THEN 'PUBLIC'
             ELSE quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END AS grantee,
        g.privilege_type,
        g.is_grantable
    FROM pg_catalog.pg_class AS c
    CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS g
    WHERE c.oid = $1 AND g.grantee <> c.relowner
)
SELECT
    ARRAY(
        SELECT DISTINCT format('REVOKE ALL ON TABLE %s FROM %s', oid::regclass, grantee)
        FROM granted ORDER BY 1
    ),
    ARRAY(
        SELECT format('GRANT %s ON TABLE %s TO %s%s',
            string_agg(privilege_type, ', ' ORDER BY privilege_type), oid::regclass, grantee,
            CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
        FROM granted GROUP BY oid, grantee, is_grantable ORDER BY grantee, is_grantable
    )
