-- Purpose: the table that holds what the rollback of a switchover left behind.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT n.nspname::text, r.relname::text
FROM sterna.switchover AS s
INNER JOIN pg_catalog.pg_class AS r ON r.oid = s.left_relid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
WHERE s.switchover_id = $1
