-- Purpose: the publications that include the table: by itself, with its schema or with all
--   tables.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    'publication',
    quote_ident(p.pubname),
    concat_ws(
        E'\n',
        'table',
        'columns: ' || (
            SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname)
            FROM pg_attribute AS a
            WHERE a.attrelid = m.prrelid AND a.attnum = ANY (m.prattrs)
        ),
        'rows: ' || pg_get_expr(m.prqual, m.prrelid)
    )
FROM pg_publication_rel AS m
INNER JOIN pg_publication AS p ON p.oid = m.prpubid
WHERE m.prrelid = $1
UNION ALL
SELECT 'publication', quote_ident(p.pubname) || ' by schema', 'schema'
FROM pg_class AS c
INNER JOIN pg_publication_namespace AS m ON m.pnnspid = c.relnamespace
INNER JOIN pg_publication AS p ON p.oid = m.pnpubid
WHERE c.oid = $1
UNION ALL
SELECT 'publication', quote_ident(p.pubname) || ' of all tables', 'all tables'
FROM pg_publication AS p
INNER JOIN pg_class AS c ON c.oid = $1
WHERE p.puballtables
