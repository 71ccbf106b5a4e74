-- Purpose: a routine whose parsed body uses the replaced table, as the statement
--   that has it use the new one; owner, rights and comment stay.
-- Lock: none, it reads the catalog. Transaction: either.
-- Undone by: nothing, it reads.
SELECT ARRAY[pg_catalog.pg_get_functiondef($1::oid)]
