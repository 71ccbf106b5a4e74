-- Purpose: the default of another relation's column that uses what is replaced, as
--   the statement that has it use the new one.
-- Lock: none, it reads the catalog. Transaction: either.
-- Undone by: nothing, it reads.
SELECT ARRAY[format(
    'ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s',
    d.adrelid::regclass,
    a.attname,
    pg_catalog.pg_get_expr(d.adbin, d.adrelid)
)]
FROM pg_catalog.pg_attrdef AS d
INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE d.oid = $1
