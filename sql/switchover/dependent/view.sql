-- Purpose: the statement that makes a view read the new table; everything attached to the view
--   is kept.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT ARRAY[format(
    'CREATE OR REPLACE VIEW %s%s AS %s',
    c.oid::regclass,
    ' WITH (' || array_to_string(c.reloptions, ', ') || ')',
    rtrim(pg_catalog.pg_get_viewdef(c.oid), ';')
)]
FROM pg_catalog.pg_class AS c
WHERE c.oid = $1
