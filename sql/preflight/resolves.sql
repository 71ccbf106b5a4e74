-- Purpose: whether a table, view or function with this name and signature exists.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT coalesce(pg_catalog.to_regclass($1)::oid, pg_catalog.to_regprocedure($2)::oid) IS NOT NULL
