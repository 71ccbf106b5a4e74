-- Purpose: whether a table, view or function of this name and signature is there.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT coalesce(pg_catalog.to_regclass($1)::oid, pg_catalog.to_regprocedure($2)::oid) IS NOT NULL
