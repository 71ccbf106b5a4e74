-- Purpose: why a table that Citus distributes ($1) cannot be replaced although an ordinary one
--   could: one line for each thing that would be lost.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT reason FROM (
    SELECT format('its column %I is %s', a.attname, CASE
        WHEN a.attidentity <> '' THEN 'an identity'
        ELSE 'generated'
    END) AS reason
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
        AND (a.attidentity <> '' OR a.attgenerated <> '')
    UNION ALL
    SELECT format('its column %I owns the sequence %s', a.attname, d.objid::regclass)
    FROM pg_catalog.pg_depend AS d
    INNER JOIN pg_catalog.pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
    INNER JOIN pg_catalog.pg_attribute AS a
        ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND a.attidentity = ''
    WHERE d.classid = 'pg_catalog.pg_class'::regclass
        AND d.refclassid = 'pg_catalog.pg_class'::regclass
        AND d.refobjid = $1
        AND d.deptype = 'a'
    UNION ALL
    SELECT CASE
        WHEN c.relispartition THEN 'it is a partition'
        WHEN m.amname <> 'heap' THEN 'its access method is ' || quote_ident(m.amname)
        WHEN c.relrowsecurity OR c.relforcerowsecurity THEN 'it has row-level security'
        WHEN c.relreplident <> 'd' THEN 'it has a replica identity of its own'
    END
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
    WHERE c.oid = $1
    UNION ALL
    SELECT format('it has the policy %I', polname)
    FROM pg_catalog.pg_policy WHERE polrelid = $1
    UNION ALL
    SELECT format('it has the trigger %I', tgname)
    FROM pg_catalog.pg_trigger WHERE tgrelid = $1 AND NOT tgisinternal
    UNION ALL
    SELECT format('it has the rule %I', rulename)
    FROM pg_catalog.pg_rewrite WHERE ev_class = $1
    UNION ALL
    SELECT format('it has the extended statistics %I', stxname)
    FROM pg_catalog.pg_statistic_ext WHERE stxrelid = $1
    UNION ALL
    SELECT format('the publication %I names it', p.pubname)
    FROM pg_catalog.pg_publication_rel AS r
    INNER JOIN pg_catalog.pg_publication AS p ON p.oid = r.prpubid
    WHERE r.prrelid = $1
    UNION ALL
    SELECT format('the foreign key %I on %s refers to it', c.conname, c.conrelid::regclass)
    FROM pg_catalog.pg_constraint AS c
    WHERE c.confrelid = $1 AND c.contype = 'f'
    UNION ALL
    SELECT format('its foreign key %I %s', c.conname, CASE
        WHEN NOT c.convalidated THEN 'is not validated'
        WHEN c.condeferrable THEN 'is deferrable'
        ELSE 'changes rows of its own (ON UPDATE, ON DELETE SET)'
    END)
    FROM pg_catalog.pg_constraint AS c
    WHERE c.conrelid = $1 AND c.contype = 'f'
        AND (
            NOT c.convalidated OR c.condeferrable
            OR c.confupdtype NOT IN ('a', 'r') OR c.confdeltype NOT IN ('a', 'r', 'c')
        )
    UNION ALL
    SELECT format('its constraint %I is deferrable', c.conname)
    FROM pg_catalog.pg_constraint AS c
    WHERE c.conrelid = $1 AND c.contype <> 'f' AND c.condeferrable
    UNION ALL
    SELECT format('rights on its column %I are granted', a.attname)
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = $1 AND a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    SELECT format('the right %s was granted to %s by %s, which does not own it', g.privilege_type,
        CASE WHEN g.grantee = 0 THEN 'PUBLIC'
             ELSE quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END,
        quote_ident(pg_catalog.pg_get_userbyid(g.grantor)))
    FROM pg_catalog.pg_class AS c
    CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS g
    WHERE c.oid = $1 AND g.grantor <> c.relowner
    UNION ALL
    SELECT format('its owner does not have the right %s on it', w.privilege_type)
    FROM pg_catalog.pg_class AS c
    CROSS JOIN LATERAL pg_catalog.aclexplode(pg_catalog.acldefault('r', c.relowner)) AS w
    WHERE c.oid = $1 AND c.relacl IS NOT NULL AND w.grantee = c.relowner
        AND NOT EXISTS (
            SELECT FROM pg_catalog.aclexplode(c.relacl) AS g
            WHERE g.grantee = w.grantee AND g.privilege_type = w.privilege_type
        )
) AS reasons
WHERE reason IS NOT NULL
