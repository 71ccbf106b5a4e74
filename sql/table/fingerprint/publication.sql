-- Purpose: the publications that include the table: by itself or one of its partitions, with its
--   schema or with all tables.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'publication',
    quote_ident(p.pubname)
    || CASE WHEN m.prrelid <> $1 THEN format(' of %s', m.prrelid::regclass) ELSE '' END,
    concat_ws(
        E'\n',
        'table',
        'columns: ' || (
            SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname)
            FROM pg_attribute AS a
            WHERE a.attrelid = m.prrelid AND a.attnum = ANY (m.columns)
        ),
        'rows: ' || pg_get_expr(m.filter, m.prrelid)
    )
-- Without a prefix, the names of columns that PostgreSQL 14 lacks stand for these.
FROM (SELECT NULL::int2vector AS prattrs, NULL::pg_node_tree AS prqual) AS absent
CROSS JOIN LATERAL (
    SELECT r.prrelid, r.prpubid, prattrs AS columns, prqual AS filter
    FROM pg_publication_rel AS r
) AS m
INNER JOIN pg_publication AS p ON p.oid = m.prpubid
WHERE m.prrelid IN (SELECT relid FROM tree)
UNION ALL
SELECT 'publication', quote_ident(p.pubname) || ' by schema', 'schema'
FROM pg_class AS c
-- PostgreSQL 14 has no pg_publication_namespace. Its entries depend on both sides.
INNER JOIN pg_depend AS s
    ON s.classid = to_regclass('pg_catalog.pg_publication_namespace')
    AND s.refclassid = 'pg_namespace'::regclass AND s.refobjid = c.relnamespace
INNER JOIN pg_depend AS m
    ON m.classid = s.classid AND m.objid = s.objid
    AND m.refclassid = 'pg_publication'::regclass
INNER JOIN pg_publication AS p ON p.oid = m.refobjid
WHERE c.oid = $1
UNION ALL
SELECT 'publication', quote_ident(p.pubname) || ' of all tables', 'all tables'
FROM pg_publication AS p
INNER JOIN pg_class AS c ON c.oid = $1
WHERE p.puballtables
