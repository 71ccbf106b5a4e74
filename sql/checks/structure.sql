-- Name: structure
-- Purpose: columns, constraints and indexes of staging match production's, except for
--   columns that the load was asked to widen.
-- Fault: difference from production's structure
-- Severity: error
-- Applies to: staging
-- Parameters: {table_oid}, {checked_oid}, {widened}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
WITH sides (side, oid) AS (VALUES ('p', {table_oid}), ('s', {checked_oid})),
parts AS (
    SELECT
        s.side,
        'column' AS kind,
        a.attname::text AS name,
        concat_ws(
            ' ',
            CASE
                WHEN s.side = 'p' AND a.attname = ANY ({widened}) THEN 'numeric'
                ELSE pg_catalog.format_type(a.atttypid, a.atttypmod)
            END,
            'collate ' || nullif(a.attcollation, 0)::regcollation::text,
            CASE WHEN a.attnotnull THEN 'not null' END,
            'default ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid),
            'identity ' || nullif(a.attidentity::text, ''),
            'generated ' || nullif(a.attgenerated::text, ''),
            'at ' || row_number() OVER (PARTITION BY s.side ORDER BY a.attnum)
        ) AS definition
    FROM sides AS s
    INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = s.oid
    LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT
        s.side,
        'constraint',
        c.conname::text,
        pg_catalog.pg_get_constraintdef(c.oid)
    FROM sides AS s
    INNER JOIN pg_catalog.pg_constraint AS c ON c.conrelid = s.oid
    -- Foreign keys are added in the exchange; the check foreign-key tests them for every row.
    WHERE c.contype = 'c'
        -- It stands for a partition's bound until staging is attached.
        AND (s.side = 'p' OR c.conname <> 'sterna_partition')
    UNION ALL
    -- The names of indexes differ until the tables are exchanged.
    SELECT
        s.side,
        'index',
        concat_ws(
            ' ',
            CASE con.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique constraint' END,
            CASE WHEN i.indisunique THEN 'unique' END,
            regexp_replace(pg_catalog.pg_get_indexdef(i.indexrelid), '^.*? USING ', '')
        ),
        count(*) || ' valid'
    FROM sides AS s
    INNER JOIN pg_catalog.pg_index AS i ON i.indrelid = s.oid AND i.indisvalid
    LEFT JOIN pg_catalog.pg_constraint AS con
        ON con.conindid = i.indexrelid AND con.conrelid = i.indrelid
        AND con.contype IN ('p', 'u', 'x')
    GROUP BY 1, 2, 3
)
SELECT
    kind, name,
    coalesce(p.definition, 'absent') AS expected,
    coalesce(s.definition, 'absent') AS observed
FROM (SELECT * FROM parts WHERE side = 'p') AS p
FULL JOIN (SELECT * FROM parts WHERE side = 's') AS s USING (kind, name)
WHERE p.definition IS DISTINCT FROM s.definition
    -- A constraint that is NOT VALID in production may be valid on staging: the switchover
    -- makes it NOT VALID before the tables are exchanged.
    AND p.definition IS DISTINCT FROM s.definition || ' NOT VALID'
ORDER BY kind, name
