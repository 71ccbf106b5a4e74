-- Purpose: what depends on the relations ($1), their partitions and the routines ($2) that the
--   switchover replaces, and so would stay with the old ones. What belongs to one of them, such as an index to its table,
--   is left out: it is replaced with it. $3 and $4 are the types and type modifiers of columns
--   that will have another type.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
WITH relation AS (
    SELECT r.oid FROM unnest($1::oid[]) AS r (oid)
    UNION
    SELECT t.relid FROM unnest($1::oid[]) AS r (oid), pg_catalog.pg_partition_tree(r.oid) AS t
),
row_type AS (
    -- A relation's row type and the array of it, through which others can depend on it.
    SELECT y.oid
    FROM pg_catalog.pg_type AS t
    CROSS JOIN LATERAL unnest(ARRAY[t.oid, t.typarray]) AS y (oid)
    WHERE t.typrelid IN (SELECT r.oid FROM relation AS r)
),
replaced AS (
    SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, r.oid AS objid FROM relation AS r
    UNION ALL
    SELECT 'pg_catalog.pg_type'::regclass::oid, y.oid FROM row_type AS y
    UNION ALL
    SELECT 'pg_catalog.pg_proc'::regclass::oid, r.objid FROM unnest($2::oid[]) AS r (objid)
),
dependent AS (
    SELECT DISTINCT d.classid, d.objid, d.objsubid
    FROM replaced AS r
    INNER JOIN pg_catalog.pg_depend AS d ON d.refclassid = r.classid AND d.refobjid = r.objid
    WHERE d.deptype IN ('n', 'a')
        AND NOT EXISTS (
            SELECT FROM replaced AS o WHERE o.classid = d.classid AND o.objid = d.objid
        )
),
placed AS (
    SELECT
        d.classid,
        d.objid,
        d.objsubid,
        -- The relation that it belongs to, if any.
        CASE d.classid
            WHEN 'pg_catalog.pg_rewrite'::regclass THEN w.ev_class
            WHEN 'pg_catalog.pg_policy'::regclass THEN p.polrelid
            WHEN 'pg_catalog.pg_attrdef'::regclass THEN a.adrelid
            WHEN 'pg_catalog.pg_trigger'::regclass THEN t.tgrelid
            WHEN 'pg_catalog.pg_constraint'::regclass THEN nullif(c.conrelid, 0)
            WHEN 'pg_catalog.pg_statistic_ext'::regclass THEN s.stxrelid
            WHEN 'pg_catalog.pg_publication_rel'::regclass THEN pub.prrelid
            WHEN 'pg_catalog.pg_class'::regclass THEN coalesce(i.indrelid, d.objid)
            WHEN 'pg_catalog.pg_type'::regclass THEN nullif(y.typrelid, 0)
        END AS relid,
        w.rulename,
        t.tgisinternal,
        c.contype,
        c.confrelid
    FROM dependent AS d
    LEFT JOIN pg_catalog.pg_rewrite AS w
        ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND w.oid = d.objid
    LEFT JOIN pg_catalog.pg_policy AS p
        ON d.classid = 'pg_catalog.pg_policy'::regclass AND p.oid = d.objid
    LEFT JOIN pg_catalog.pg_attrdef AS a
        ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND a.oid = d.objid
    LEFT JOIN pg_catalog.pg_trigger AS t
        ON d.classid = 'pg_catalog.pg_trigger'::regclass AND t.oid = d.objid
    LEFT JOIN pg_catalog.pg_constraint AS c
        ON d.classid = 'pg_catalog.pg_constraint'::regclass AND c.oid = d.objid
    LEFT JOIN pg_catalog.pg_statistic_ext AS s
        ON d.classid = 'pg_catalog.pg_statistic_ext'::regclass AND s.oid = d.objid
    LEFT JOIN pg_catalog.pg_publication_rel AS pub
        ON d.classid = 'pg_catalog.pg_publication_rel'::regclass AND pub.oid = d.objid
    LEFT JOIN pg_catalog.pg_index AS i
        ON d.classid = 'pg_catalog.pg_class'::regclass AND i.indexrelid = d.objid
    LEFT JOIN pg_catalog.pg_type AS y
        ON d.classid = 'pg_catalog.pg_type'::regclass AND y.oid = d.objid
)
SELECT DISTINCT
    CASE
        WHEN p.rulename = '_RETURN' AND c.relkind = 'v' THEN 'view'
        WHEN p.rulename = '_RETURN' AND c.relkind = 'm' THEN 'materialized view'
        WHEN p.rulename IS NOT NULL THEN 'rule'
        WHEN p.classid = 'pg_catalog.pg_policy'::regclass THEN 'policy'
        WHEN p.classid = 'pg_catalog.pg_attrdef'::regclass
            AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_attrdef AS d
                INNER JOIN pg_catalog.pg_attribute AS a
                    ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated <> ''
                WHERE d.oid = p.objid
            ) THEN 'default'
        WHEN p.tgisinternal IS NOT NULL THEN 'trigger'
        WHEN f.oid IS NOT NULL AND f.prokind IN ('f', 'p', 'w')
            AND (
                f.prorettype IN (SELECT y.oid FROM row_type AS y)
                OR f.proargtypes::oid[] && ARRAY(SELECT y.oid FROM row_type AS y)
                OR f.proallargtypes && ARRAY(SELECT y.oid FROM row_type AS y)
            ) THEN 'row type routine'
        WHEN f.oid IS NOT NULL AND f.prosqlbody IS NOT NULL THEN 'routine'
        ELSE 'other'
    END,
    CASE WHEN p.rulename = '_RETURN' THEN 'pg_catalog.pg_class'::regclass::oid ELSE p.classid END,
    CASE WHEN p.rulename = '_RETURN' THEN p.relid ELSE p.objid END,
    CASE WHEN p.rulename IS NOT NULL OR p.classid <> 'pg_catalog.pg_proc'::regclass
        THEN p.relid END,
    pg_catalog.pg_describe_object(p.classid, p.objid, p.objsubid),
    -- Whether it is a view with a column whose type will change.
    EXISTS (
        SELECT FROM pg_catalog.pg_attribute AS a
        INNER JOIN unnest($3::oid[], $4::integer[]) AS changed (typid, typmod)
            ON a.atttypmod = changed.typmod
            AND a.atttypid IN (
                changed.typid,
                (SELECT t.typarray FROM pg_catalog.pg_type AS t WHERE t.oid = changed.typid)
            )
        WHERE a.attrelid = p.relid AND a.attnum > 0 AND NOT a.attisdropped
    )
FROM placed AS p
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = p.relid
LEFT JOIN pg_catalog.pg_proc AS f
    ON p.classid = 'pg_catalog.pg_proc'::regclass AND f.oid = p.objid
WHERE NOT EXISTS (
        SELECT FROM replaced AS o
        WHERE o.classid = 'pg_catalog.pg_class'::regclass
            AND (o.objid = p.relid OR (p.contype = 'f' AND o.objid = p.confrelid))
    )
    AND p.tgisinternal IS NOT TRUE
    AND coalesce(c.relkind, 'r') <> 't'
    -- Temporary objects of other sessions cannot be altered, and end with their session.
    AND coalesce(c.relpersistence, 'p') <> 't'
    -- A serial's sequence stays and is tied to the new column.
    AND NOT (p.classid = 'pg_catalog.pg_class'::regclass AND c.relkind = 'S')
    -- A row type's own array type.
    AND NOT (p.classid = 'pg_catalog.pg_type'::regclass AND p.objid IN (SELECT y.oid FROM row_type AS y))
ORDER BY 1, 5
