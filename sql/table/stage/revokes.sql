-- Purpose: statements that revoke what default privileges gave to roles other than the owner,
--   on new tables ($1) and their identity sequences, before anybody can use it.
-- Lock: none, it only reads the catalog. Transaction: yes, that of table/stage/create.sql.
-- Undone by: nothing, it only reads.
SELECT DISTINCT format(
    'REVOKE ALL ON %s %s FROM %s',
    CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
    c.oid::regclass,
    CASE WHEN a.grantee = 0 THEN 'PUBLIC'
         ELSE quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END
)
FROM pg_catalog.pg_class AS c
CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS a
WHERE a.grantee <> c.relowner
    AND (
        c.oid = ANY ($1::oid[])
        OR c.oid IN (
            SELECT d.objid
            FROM pg_catalog.pg_depend AS d
            WHERE d.classid = 'pg_catalog.pg_class'::regclass
                AND d.refclassid = 'pg_catalog.pg_class'::regclass
                AND d.refobjid = ANY ($1::oid[])
                AND d.deptype = 'i'
        )
    )
