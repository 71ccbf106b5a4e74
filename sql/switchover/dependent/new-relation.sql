-- Purpose: a view or materialized view that cannot be changed in place: the statements that
--   rename the old one out of the way and create a new one, and those that compute the rows of
--   a materialized view and its statistics. Its triggers, rules, rights and comments come from
--   switchover/property.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
WITH relation AS (
    SELECT
        c.*,
        c.oid::regclass::text AS name,
        CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END AS kind
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = $1
)
SELECT
    array_remove(
        ARRAY[format('ALTER %s %s RENAME TO %I', r.kind, r.name, $2::text)]
        || (
            SELECT array_agg(format('ALTER INDEX %s RENAME TO %I', x.indexrelid::regclass,
                $2::text || '_' || x.position))
            FROM (
                SELECT i.indexrelid, row_number() OVER (ORDER BY i.indexrelid) AS position
                FROM pg_catalog.pg_index AS i
                WHERE i.indrelid = r.oid
            ) AS x
        )
        || (
            SELECT array_agg(format('ALTER STATISTICS %I.%I RENAME TO %I', n.nspname, s.stxname,
                $2::text || '_s' || s.position))
            FROM (
                SELECT e.*, row_number() OVER (ORDER BY e.oid) AS position
                FROM pg_catalog.pg_statistic_ext AS e
                WHERE e.stxrelid = r.oid
            ) AS s
            INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = s.stxnamespace
        ),
        NULL
    ),
    array_remove(
        ARRAY[
            format(
                'CREATE %s %s%s%s%s AS %s%s',
                r.kind,
                r.name,
                (
                    SELECT ' USING ' || quote_ident(am.amname)
                    FROM pg_catalog.pg_am AS am
                    WHERE am.oid = r.relam AND r.relkind = 'm'
                ),
                ' WITH (' || array_to_string(r.reloptions, ', ') || ')',
                (
                    SELECT ' TABLESPACE ' || quote_ident(t.spcname)
                    FROM pg_catalog.pg_tablespace AS t WHERE t.oid = r.reltablespace
                ),
                rtrim(pg_catalog.pg_get_viewdef(r.oid), ';'),
                -- It is computed later with its owner's rights, not those of the role that
                -- creates it.
                CASE WHEN r.relkind = 'm' THEN ' WITH NO DATA' ELSE '' END
            ),
            format('ALTER %s %s OWNER TO %I', r.kind, r.name,
                pg_catalog.pg_get_userbyid(r.relowner)),
            format('REVOKE ALL ON TABLE %s FROM PUBLIC', r.name)
        ]
        || (
            SELECT array_agg(DISTINCT format('REVOKE ALL ON TABLE %s FROM %I', r.name,
                pg_catalog.pg_get_userbyid(a.grantee)))
            FROM pg_catalog.pg_default_acl AS d
            CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) AS a
            WHERE d.defaclobjtype = 'r' AND a.grantee <> 0 AND a.grantee <> r.relowner
        )
        || (
            SELECT array_agg(format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', r.name,
                a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid)))
            FROM pg_catalog.pg_attrdef AS d
            INNER JOIN pg_catalog.pg_attribute AS a
                ON a.attrelid = d.adrelid AND a.attnum = d.adnum
            WHERE d.adrelid = r.oid
        )
        || (
            SELECT array_agg(s.statement ORDER BY s.position, s.statement)
            FROM (
                SELECT 1 AS position, pg_catalog.pg_get_indexdef(i.indexrelid) AS statement
                FROM pg_catalog.pg_index AS i
                WHERE i.indrelid = r.oid
                UNION ALL
                SELECT 2, format('ALTER MATERIALIZED VIEW %s CLUSTER ON %I', r.name, x.relname)
                FROM pg_catalog.pg_index AS i
                INNER JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
                WHERE i.indrelid = r.oid AND i.indisclustered
                UNION ALL
                SELECT 2, format('ALTER INDEX %s SET TABLESPACE %I', i.indexrelid::regclass,
                    t.spcname)
                FROM pg_catalog.pg_index AS i
                INNER JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
                INNER JOIN pg_catalog.pg_tablespace AS t ON t.oid = x.reltablespace
                WHERE i.indrelid = r.oid
                UNION ALL
                SELECT 2, format('COMMENT ON INDEX %s IS %L', i.indexrelid::regclass, d.description)
                FROM pg_catalog.pg_index AS i
                INNER JOIN pg_catalog.pg_description AS d
                    ON d.objoid = i.indexrelid AND d.classoid = 'pg_catalog.pg_class'::regclass
                WHERE i.indrelid = r.oid
                UNION ALL
                SELECT 2, format('ALTER MATERIALIZED VIEW %s ALTER COLUMN %I SET STATISTICS %s',
                    r.name, a.attname, a.attstattarget)
                FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
                    AND r.relkind = 'm' AND a.attstattarget >= 0
                UNION ALL
                SELECT 2, format('ALTER MATERIALIZED VIEW %s ALTER COLUMN %I SET (%s)',
                    r.name, a.attname, array_to_string(a.attoptions, ', '))
                FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
                    AND a.attoptions IS NOT NULL
                UNION ALL
                SELECT 2, pg_catalog.pg_get_statisticsobjdef(e.oid)
                FROM pg_catalog.pg_statistic_ext AS e
                WHERE e.stxrelid = r.oid
            ) AS s
        ),
        NULL
    ),
    CASE WHEN r.relkind = 'm' AND r.relispopulated
        THEN format('REFRESH MATERIALIZED VIEW %s', r.name) END,
    CASE WHEN r.relkind = 'm' AND r.relispopulated THEN format('ANALYZE %s', r.name) END
FROM relation AS r
