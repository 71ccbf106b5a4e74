-- Purpose: the views over a table, including those over such views, and the functions that name
--   it. Each comes with a statement that can be parsed, or that has its language's own
--   validator compile it, under the search path that it sets or that of the role; and those
--   that belong to a superuser or to the connected role also with a query. Only the query runs
--   their code. A view is only parsed: planning it would evaluate its constant parts. PL/pgSQL
--   compiles without evaluating; analysing the text of an SQL function reads its literals, and
--   one of an array of a domain, or of a row with one, runs the domain's check, so an SQL
--   function of another owner is left out. Materialized views that are not populated are left
--   out, and what is based on them.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH RECURSIVE trusted AS (
    SELECT oid FROM pg_catalog.pg_roles WHERE rolsuper OR rolname = current_user
), views AS (
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
    CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END AS kind,
    c.oid::regclass::text AS name,
    format('SELECT FROM %s', c.oid::regclass) AS parsed,
    NULL AS compiled,
    CASE WHEN c.relowner IN (SELECT oid FROM trusted) THEN
        format('SELECT * FROM %s LIMIT 1', c.oid::regclass)
    END AS question
FROM views AS v
INNER JOIN pg_catalog.pg_class AS c ON c.oid = v.oid AND c.relkind IN ('v', 'm')
UNION ALL
SELECT
    'function',
    p.oid::regprocedure::text,
    NULL,
    CASE WHEN l.lanname = 'plpgsql' OR p.prosqlbody IS NOT NULL OR a.is_trusted THEN format(
        'SELECT pg_catalog.set_config(''search_path'', %L, true); SELECT %s(%s)',
        coalesce(
            (
                SELECT substr(s.setting, length('search_path=') + 1)
                FROM unnest(p.proconfig) AS s (setting)
                WHERE s.setting LIKE 'search\_path=%'
            ),
            (SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'search_path')
        ),
        l.lanvalidator::regproc,
        p.oid
    ) END,
    CASE WHEN a.is_trusted AND a.can_be_asked THEN
        format('SELECT * FROM %s(%s) LIMIT 1', p.oid::regproc, a.arguments)
    END
FROM pg_catalog.pg_proc AS p
INNER JOIN pg_catalog.pg_class AS t ON t.oid = $1
INNER JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang AND l.lanname IN ('sql', 'plpgsql')
INNER JOIN pg_catalog.pg_proc AS v ON v.oid = l.lanvalidator
INNER JOIN pg_catalog.pg_roles AS o ON o.oid = v.proowner AND o.rolsuper
CROSS JOIN LATERAL (
    SELECT
        p.proowner IN (SELECT oid FROM trusted) AS is_trusted,
        p.provolatile <> 'v' AND p.provariadic = 0
        AND (p.prorettype <> 'record'::regtype OR p.proallargtypes IS NOT NULL)
        AND coalesce(bool_and(y.typtype <> 'p'), true) AS can_be_asked,
        string_agg(format('NULL::%s', g.type::regtype), ', ' ORDER BY g.position) AS arguments
    FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS g (type, position)
    INNER JOIN pg_catalog.pg_type AS y ON y.oid = g.type
) AS a
WHERE p.prokind = 'f' AND p.prorettype <> ALL ('{trigger, event_trigger}'::regtype[])
    -- A validator requires the right to call what it checks.
    AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
    AND pg_catalog.has_schema_privilege(p.pronamespace, 'USAGE')
    -- The functions of sterna's journal name the table, but are its own.
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
