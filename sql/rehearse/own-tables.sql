-- Purpose: the tables in users' schemas that sterna created or left there, except the live one,
--   $1.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT c.oid, n.nspname::text, c.relname::text
FROM (
    SELECT relid FROM sterna.staging
    UNION
    SELECT relid FROM sterna.backup_table
    UNION
    SELECT old_relid FROM sterna.switchover WHERE state = 'switched'
) AS made
INNER JOIN pg_catalog.pg_class AS c ON c.oid = made.relid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid <> $1
ORDER BY 2, 3
