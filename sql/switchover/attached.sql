-- Purpose: what has a name of its own in the schema and changes hands with a table: indexes,
--   identity sequences, extended statistics.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT 'index', c.oid, n.nspname::text, c.relname::text, NULL::text
FROM pg_catalog.pg_index AS i
INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE i.indrelid = $1
UNION ALL
SELECT 'sequence', c.oid, n.nspname::text, c.relname::text, a.attname::text
FROM pg_catalog.pg_depend AS d
INNER JOIN pg_catalog.pg_class AS c ON c.oid = d.objid AND c.relkind = 'S'
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_catalog.pg_class'::regclass
    AND d.refclassid = 'pg_catalog.pg_class'::regclass
    AND d.refobjid = $1
    AND d.deptype = 'i'
UNION ALL
SELECT 'statistics', e.oid, n.nspname::text, e.stxname::text, NULL
FROM pg_catalog.pg_statistic_ext AS e
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = e.stxnamespace
WHERE e.stxrelid = $1
ORDER BY 1, 4
