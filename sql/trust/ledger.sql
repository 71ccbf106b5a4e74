-- Purpose: what in the schema sterna is not under the control of a trusted role, one line each.
--   Superusers are trusted, and so is the current role, unless its session is a superuser's
--   that acts as another role: code planted by that role could change back. The owner of an
--   object may replace it or attach code to it at any time, and whoever may write rows here can
--   make sterna run statements.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH trusted AS (
    SELECT r.oid
    FROM pg_catalog.pg_roles AS r
    WHERE r.rolsuper
        OR r.rolname = current_user
            AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_roles AS s WHERE s.rolname = session_user AND s.rolsuper
            )
),
ledger AS (
    SELECT n.oid, n.nspowner, n.nspacl
    FROM pg_catalog.pg_namespace AS n
    WHERE n.nspname = 'sterna'
),
relation AS (
    SELECT c.oid, c.relowner, c.relacl, c.relkind
    FROM pg_catalog.pg_class AS c
    INNER JOIN ledger ON c.relnamespace = ledger.oid
),
owned (classid, objid, owner) AS (
    SELECT 'pg_catalog.pg_namespace'::regclass, oid, nspowner FROM ledger
    UNION ALL
    SELECT 'pg_catalog.pg_class'::regclass, oid, relowner FROM relation
    UNION ALL
    SELECT 'pg_catalog.pg_proc'::regclass, p.oid, p.proowner
    FROM pg_catalog.pg_proc AS p INNER JOIN ledger ON p.pronamespace = ledger.oid
    UNION ALL
    SELECT 'pg_catalog.pg_type'::regclass, t.oid, t.typowner
    FROM pg_catalog.pg_type AS t INNER JOIN ledger ON t.typnamespace = ledger.oid
    UNION ALL
    SELECT 'pg_catalog.pg_operator'::regclass, o.oid, o.oprowner
    FROM pg_catalog.pg_operator AS o INNER JOIN ledger ON o.oprnamespace = ledger.oid
),
-- What sterna never attaches to the ledger's tables, so that somebody else must have.
planted (classid, objid) AS (
    SELECT 'pg_catalog.pg_trigger'::regclass, t.oid
    FROM pg_catalog.pg_trigger AS t
    INNER JOIN relation ON t.tgrelid = relation.oid
    WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'pg_catalog.pg_rewrite'::regclass, w.oid
    FROM pg_catalog.pg_rewrite AS w INNER JOIN relation ON w.ev_class = relation.oid
    UNION ALL
    SELECT 'pg_catalog.pg_policy'::regclass, p.oid
    FROM pg_catalog.pg_policy AS p INNER JOIN relation ON p.polrelid = relation.oid
    UNION ALL
    SELECT 'pg_catalog.pg_class'::regclass, i.inhrelid
    FROM pg_catalog.pg_inherits AS i INNER JOIN relation ON i.inhparent = relation.oid
),
granted (classid, objid, acl, owner) AS (
    SELECT 'pg_catalog.pg_namespace'::regclass, oid, nspacl, nspowner FROM ledger
    UNION ALL
    SELECT 'pg_catalog.pg_class'::regclass, oid, relacl, relowner FROM relation
),
-- Rights on tables count only if somebody else can reach them: default privileges give some to
-- roles that cannot.
reached AS (
    SELECT EXISTS (
        SELECT FROM ledger, LATERAL pg_catalog.aclexplode(nspacl) AS a WHERE a.grantee <> nspowner
    ) AS is_open
)
SELECT CASE WHEN classid = 'pg_catalog.pg_namespace'::regclass THEN 0 ELSE 1 END AS position, format(
    '%s belongs to %I',
    pg_catalog.pg_describe_object(classid, objid, 0), pg_catalog.pg_get_userbyid(owner)
) AS line
FROM owned
WHERE owner NOT IN (SELECT oid FROM trusted)
    -- The row type of a table, and its array type, belong to the table.
    AND NOT (classid = 'pg_catalog.pg_type'::regclass AND EXISTS (
        SELECT FROM pg_catalog.pg_type AS t
        INNER JOIN pg_catalog.pg_type AS e ON e.oid IN (t.oid, t.typelem)
        WHERE t.oid = objid AND e.typrelid <> 0
    ))
    AND NOT (classid = 'pg_catalog.pg_class'::regclass AND EXISTS (
        SELECT FROM pg_catalog.pg_index AS i WHERE i.indexrelid = objid
    ))
UNION ALL
SELECT 2, format('%s is not sterna''s', pg_catalog.pg_describe_object(classid, objid, 0))
FROM planted
UNION ALL
SELECT 3, format(
    '%s may %s on %s',
    CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,
    string_agg(DISTINCT a.privilege_type, ', '),
    pg_catalog.pg_describe_object(g.classid, g.objid, 0)
)
FROM granted AS g
CROSS JOIN LATERAL pg_catalog.aclexplode(g.acl) AS a
CROSS JOIN reached
WHERE reached.is_open
    AND a.grantee <> g.owner
    AND a.privilege_type NOT IN ('USAGE', 'SELECT')
    AND a.grantee NOT IN (SELECT oid FROM trusted)
GROUP BY a.grantee, g.classid, g.objid
ORDER BY 1, 2
