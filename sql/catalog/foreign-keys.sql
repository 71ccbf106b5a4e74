-- Purpose: the outgoing foreign keys of a table. With an empty search_path every
--   name in the definitions is qualified.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT
    conname::text,
    regexp_replace(pg_catalog.pg_get_constraintdef(oid), ' NOT VALID$', ''),
    convalidated
FROM pg_catalog.pg_constraint
WHERE conrelid = $1 AND contype = 'f' AND conparentid = 0
ORDER BY conname
