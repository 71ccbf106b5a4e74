-- Purpose: the views over a table, also those over such views, and the functions
--   that name it, each with a statement that asks it for a row. Functions that may
--   write, or that compute other things than rows and values, are left out; so are
--   materialized views that nobody has filled yet, and what stands on them.
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
    format('SELECT * FROM %s(%s) LIMIT 1', p.oid::regproc, (
        SELECT string_agg(format('NULL::%s', a.type::regtype), ', ' ORDER BY a.position)
        FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (type, position)
    ))
FROM pg_catalog.pg_proc AS p
INNER JOIN pg_catalog.pg_class AS t ON t.oid = $1
INNER JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang AND l.lanname IN ('sql', 'plpgsql')
WHERE p.prokind = 'f' AND p.provolatile <> 'v' AND p.prorettype <> 'trigger'::regtype
    AND 'pg_catalog.any'::regtype <> ALL (p.proargtypes::oid[])
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
