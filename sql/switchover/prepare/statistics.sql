-- Purpose: statements that create production's extended statistics on staging under the given
--   names, unless staging has statistics of that name.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT statement
FROM unnest($3::oid[], $4::text[]) AS wanted (oid, name)
INNER JOIN pg_catalog.pg_statistic_ext AS e ON e.oid = wanted.oid AND e.stxrelid = $1
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = e.stxnamespace
CROSS JOIN LATERAL (
    VALUES
    (
        1,
        format(
            'CREATE STATISTICS %I.%I%s ON %s FROM %s',
            n.nspname,
            wanted.name,
            (
                SELECT ' (' || string_agg(
                    CASE kind WHEN 'd' THEN 'ndistinct' WHEN 'f' THEN 'dependencies' ELSE 'mcv' END,
                    ', '
                ) || ')'
                FROM unnest(e.stxkind) AS kind
                -- Statistics on a single expression have only one kind, which cannot be named.
                WHERE kind IN ('d', 'f', 'm')
            ),
            pg_catalog.pg_get_statisticsobjdef_columns(e.oid),
            $2::oid::regclass
        )
    ),
    (
        2,
        format('ALTER STATISTICS %I.%I OWNER TO %I', n.nspname, wanted.name,
            pg_catalog.pg_get_userbyid(e.stxowner))
    ),
    (
        3,
        CASE WHEN coalesce(e.stxstattarget, -1) >= 0 THEN
            format('ALTER STATISTICS %I.%I SET STATISTICS %s', n.nspname, wanted.name,
                e.stxstattarget)
        END
    ),
    (
        4,
        'COMMENT ON STATISTICS ' || format('%I.%I', n.nspname, wanted.name) || ' IS '
        || quote_literal(pg_catalog.obj_description(e.oid, 'pg_statistic_ext'))
    )
) AS statements (position, statement)
WHERE statement IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_statistic_ext AS s
        WHERE s.stxrelid = $2 AND s.stxname = wanted.name AND s.stxnamespace = e.stxnamespace
    )
ORDER BY wanted.name, position
