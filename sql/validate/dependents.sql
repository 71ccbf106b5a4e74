-- Purpose: the views over a table, also those over such views, and the functions
--   that name it, each with a statement that asks for it. A function is compiled by
--   its language's own validator, which does not run it, and asked for a row where it
--   promises not to write and can be called with NULLs alone; under the search path
--   that it sets, or that of the role. Materialized views that nobody has filled yet
--   are left out, and what stands on them.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
WITH RECURSIVE views AS (
    SELECT $1::oid AS oid
    UNION
    SELECT w.ev_class
    FROM views AS v
    INNER JOIN pg_catalog.pg_depend AS d
        ON d.refobjid = v.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
        AND d.classid = 'pg_catalog.pg_rewrite'::regclass
    INNER JOIN pg_catalog.pg_rewrite AS w ON w.oid = d.objid
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = w.ev_class AND c.relispopulated
)
SELECT
    CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END,
    c.oid::regclass::text,
    format('SELECT * FROM %s LIMIT 1', c.oid::regclass)
FROM views AS v
INNER JOIN pg_catalog.pg_class AS c ON c.oid = v.oid AND c.relkind IN ('v', 'm')
UNION ALL
SELECT
    'function',
    p.oid::regprocedure::text,
    concat_ws(
        '; ',
        format(
            'SELECT pg_catalog.set_config(''search_path'', %L, true)',
            coalesce(
                (
                    SELECT substr(s.setting, length('search_path=') + 1)
                    FROM unnest(p.proconfig) AS s (setting)
                    WHERE s.setting LIKE 'search\_path=%'
                ),
                (SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'search_path')
            )
        ),
        format('SELECT %s(%s)', l.lanvalidator::regproc, p.oid),
        CASE WHEN a.can_be_asked THEN
            format('SELECT * FROM %s(%s) LIMIT 1', p.oid::regproc, a.arguments)
        END
    )
FROM pg_catalog.pg_proc AS p
INNER JOIN pg_catalog.pg_class AS t ON t.oid = $1
INNER JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang AND l.lanname IN ('sql', 'plpgsql')
CROSS JOIN LATERAL (
    SELECT
        p.provolatile <> 'v' AND p.provariadic = 0
        AND (p.prorettype <> 'record'::regtype OR p.proallargtypes IS NOT NULL)
        AND coalesce(bool_and(y.typtype <> 'p'), true) AS can_be_asked,
        string_agg(format('NULL::%s', a.type::regtype), ', ' ORDER BY a.position) AS arguments
    FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (type, position)
    INNER JOIN pg_catalog.pg_type AS y ON y.oid = a.type
) AS a
WHERE p.prokind = 'f' AND p.prorettype <> ALL ('{trigger, event_trigger}'::regtype[])
    -- What sterna notes and carries over by names the table, and belongs to it.
    AND p.pronamespace <> 'sterna'::regnamespace
    AND (
        strpos(p.prosrc, t.relname) > 0
        OR EXISTS (
            SELECT
            FROM pg_catalog.pg_depend AS d
            WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid
                AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = $1
        )
    )
ORDER BY 1, 2
