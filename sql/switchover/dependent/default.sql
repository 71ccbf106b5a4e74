-- Purpose: the statement that makes a column default of another relation, which uses a replaced
--   object, use the new one.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT ARRAY[format(
    'ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s',
    d.adrelid::regclass,
    a.attname,
    pg_catalog.pg_get_expr(d.adbin, d.adrelid)
)]
FROM pg_catalog.pg_attrdef AS d
INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE d.oid = $1
