-- Purpose: the rights on the table, its columns and row type, and on what depends on it.
--   Default rights count as granted, because they have the same effect.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'privilege',
    format(
        '%s %s to %s by %I',
        i.type,
        i.identity,
        -- Grantee 0 is everybody, not a role.
        CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
        pg_get_userbyid(a.grantor)
    ),
    string_agg(
        a.privilege_type || CASE WHEN a.is_grantable THEN ' with grant option' ELSE '' END,
        ', ' ORDER BY a.privilege_type
    )
FROM (
    SELECT
        'pg_class'::regclass AS classid,
        c.oid AS objid,
        0 AS objsubid,
        coalesce(
            c.relacl,
            acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, c.relowner)
        ) AS acl
    FROM pg_class AS c
    WHERE
        c.oid = ANY (ARRAY(SELECT objid FROM object WHERE classid = 'pg_class'::regclass))
        AND c.relkind NOT IN ('i', 'I', 't', 'c')
    UNION ALL
    SELECT 'pg_class'::regclass, c.attrelid, c.attnum, c.attacl
    FROM pg_attribute AS c
    WHERE
        c.attrelid = ANY (ARRAY(SELECT objid FROM object WHERE classid = 'pg_class'::regclass))
        AND c.attacl IS NOT NULL AND NOT c.attisdropped
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 0, coalesce(p.proacl, acldefault('f', p.proowner))
    FROM pg_proc AS p
    WHERE p.oid = ANY (ARRAY(SELECT objid FROM object WHERE classid = 'pg_proc'::regclass))
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, 0, coalesce(t.typacl, acldefault('T', t.typowner))
    FROM pg_type AS t
    WHERE
        t.oid = ANY (ARRAY(SELECT objid FROM object WHERE classid = 'pg_type'::regclass))
        -- An array type has no rights of its own.
        AND t.typsubscript <> 'pg_catalog.array_subscript_handler'::regproc
) AS target
CROSS JOIN LATERAL aclexplode(target.acl) AS a
CROSS JOIN LATERAL pg_identify_object(target.classid, target.objid, target.objsubid) AS i
GROUP BY i.type, i.identity, a.grantee, a.grantor
