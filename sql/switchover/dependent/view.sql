-- Purpose: a view, as the statement that has it read the new table; everything that
--   hangs on the view stays.
-- Lock: none, it reads the catalog. Transaction: either.
-- Undone by: nothing, it reads.
SELECT ARRAY[format(
    'CREATE OR REPLACE VIEW %s%s AS %s',
    c.oid::regclass,
    ' WITH (' || array_to_string(c.reloptions, ', ') || ')',
    rtrim(pg_catalog.pg_get_viewdef(c.oid), ';')
)]
FROM pg_catalog.pg_class AS c
WHERE c.oid = $1
