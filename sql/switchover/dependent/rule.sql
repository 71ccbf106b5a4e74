-- Purpose: a rule of another relation that reads or writes the replaced table, as
--   the statement that has it use the new one. Its state and comment stay.
-- Lock: none, it reads the catalog. Transaction: either.
-- Undone by: nothing, it reads.
SELECT ARRAY[regexp_replace(
    pg_catalog.pg_get_ruledef(r.oid), '^\s*CREATE RULE', 'CREATE OR REPLACE RULE'
)]
FROM pg_catalog.pg_rewrite AS r
WHERE r.oid = $1
