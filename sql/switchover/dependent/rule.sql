-- Purpose: the statement that makes a rule of another relation, which reads or writes the
--   replaced table, use the new one. Its state and comment are kept.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT ARRAY[regexp_replace(
    pg_catalog.pg_get_ruledef(r.oid), '^\s*CREATE RULE', 'CREATE OR REPLACE RULE'
)]
FROM pg_catalog.pg_rewrite AS r
WHERE r.oid = $1
