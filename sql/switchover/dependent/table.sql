-- Purpose: the catalogs of relations and types, and a relation's row type with the
--   array of it, by which others can depend on the relation.
-- Lock: none, it reads the catalog. Transaction: either.
-- Undone by: nothing, it reads.
SELECT
    'pg_catalog.pg_class'::regclass::oid,
    'pg_catalog.pg_type'::regclass::oid,
    t.oid,
    t.typarray
FROM pg_catalog.pg_type AS t
WHERE t.typrelid = $1
