-- Purpose: the publications that name a table: statements that remove it and add it again with
--   its columns and row filter.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT
    ARRAY[format('ALTER PUBLICATION %I DROP TABLE %s', p.pubname, r.prrelid::regclass)],
    ARRAY[format(
        'ALTER PUBLICATION %I ADD TABLE %s%s%s',
        p.pubname,
        -- ONLY, because that is what publishing a table without descendants records.
        'ONLY ' || r.prrelid::regclass,
        (
            SELECT ' (' || string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) || ')'
            FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.columns)
        ),
        ' WHERE (' || pg_catalog.pg_get_expr(r.filter, r.prrelid) || ')'
    )]
-- Without a prefix, the names of columns that PostgreSQL 14 lacks stand for these.
FROM (SELECT NULL::int2vector AS prattrs, NULL::pg_node_tree AS prqual) AS absent
CROSS JOIN LATERAL (
    SELECT m.prrelid, m.prpubid, prattrs AS columns, prqual AS filter
    FROM pg_catalog.pg_publication_rel AS m
) AS r
INNER JOIN pg_catalog.pg_publication AS p ON p.oid = r.prpubid
WHERE r.prrelid = $1
ORDER BY p.pubname
