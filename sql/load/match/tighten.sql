-- Purpose: the statements that restore on staging ($2) what load/match/loosen.sql removed, as
--   production ($1) has it; and whether each must wait for the rows, because production's own
--   rows need not satisfy it.
-- Lock: none, it only reads the catalog; its statements: ACCESS EXCLUSIVE on staging.
-- Transaction: yes, with load/match/script.sql. Undone by: load/match/loosen.sql.
SELECT format('ALTER TABLE %s %s', $2::oid::regclass, change), is_late
FROM (
    SELECT p.attname::text AS name, false AS is_late,
        format('ALTER COLUMN %I %s', p.attname, coalesce('SET DEFAULT ' || d.value, 'DROP DEFAULT'))
            AS change
    FROM pg_catalog.pg_attribute AS p
    INNER JOIN pg_catalog.pg_attribute AS s ON s.attrelid = $2 AND s.attname = p.attname
    CROSS JOIN LATERAL (
        SELECT
            max(pg_catalog.pg_get_expr(e.adbin, e.adrelid)) FILTER (WHERE e.adrelid = $1) AS value,
            max(pg_catalog.pg_get_expr(e.adbin, e.adrelid)) FILTER (WHERE e.adrelid = $2) AS now
        FROM pg_catalog.pg_attrdef AS e
        WHERE (e.adrelid, e.adnum) IN ((p.attrelid, p.attnum), (s.attrelid, s.attnum))
    ) AS d
    WHERE p.attrelid = $1 AND p.attnum > 0 AND NOT p.attisdropped AND p.attgenerated = ''
        AND d.now IS DISTINCT FROM d.value
    UNION ALL
    -- If the server names the NOT NULL constraint (18), staging gets the same name.
    SELECT p.attname, NOT coalesce(c.convalidated, true),
        CASE WHEN c.oid IS NULL THEN format('ALTER COLUMN %I SET NOT NULL', p.attname)
            ELSE format('ADD CONSTRAINT %I %s', c.conname, pg_catalog.pg_get_constraintdef(c.oid))
        END
    FROM pg_catalog.pg_attribute AS p
    INNER JOIN pg_catalog.pg_attribute AS s ON s.attrelid = $2 AND s.attname = p.attname
    LEFT JOIN pg_catalog.pg_constraint AS c
        ON c.conrelid = $1 AND c.contype = 'n' AND c.conkey = ARRAY[p.attnum]
    WHERE p.attrelid = $1 AND p.attnum > 0 AND p.attnotnull AND NOT s.attnotnull
    UNION ALL
    SELECT c.conname, NOT c.convalidated,
        format('ADD CONSTRAINT %I %s', c.conname, pg_catalog.pg_get_constraintdef(c.oid))
    FROM pg_catalog.pg_constraint AS c
    WHERE c.conrelid = $1 AND c.contype = 'c' AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_constraint AS s
        WHERE s.conrelid = $2 AND s.contype = 'c' AND s.conname = c.conname
    )
    UNION ALL
    -- A partition's bound, in the place of which staging has a CHECK.
    SELECT 'sterna_partition', false,
        'ADD CONSTRAINT sterna_partition CHECK (' || b.condition || ')'
    FROM (SELECT pg_catalog.pg_get_partition_constraintdef($1::oid) AS condition) AS b
    INNER JOIN pg_catalog.pg_class AS t ON t.oid = $2 AND NOT t.relispartition
    WHERE b.condition IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_constraint AS s
        WHERE s.conrelid = $2 AND s.conname = 'sterna_partition'
    )
) AS changes
ORDER BY name, change
