-- Purpose: the OIDs of the catalogs of relations and types, and of a relation's row type and
--   its array type, through which others can depend on the relation.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT
    'pg_catalog.pg_class'::regclass::oid,
    'pg_catalog.pg_type'::regclass::oid,
    t.oid,
    t.typarray
FROM pg_catalog.pg_type AS t
WHERE t.typrelid = $1
