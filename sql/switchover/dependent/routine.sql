-- Purpose: the statement that makes a routine, whose parsed body uses the replaced table, use
--   the new one; owner, rights and comment are kept.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT ARRAY[pg_catalog.pg_get_functiondef($1::oid)]
