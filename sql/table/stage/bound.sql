-- Purpose: statements that give a table ($2) a CHECK which the bound of a partition ($1) implies,
--   and that check its rows. So a load rejects rows that do not belong there, and ATTACH
--   PARTITION need not read any. None for a table that is no partition.
-- Lock: none, it only reads the catalog; its statements: ACCESS EXCLUSIVE on the table, which
--   nobody uses. Transaction: yes. Undone by: switchover/partition.sql.
SELECT CASE
    WHEN c.oid IS NULL THEN format('ALTER TABLE %s ADD CONSTRAINT sterna_partition CHECK (%s)',
        $2::oid::regclass, p.condition)
    ELSE format('ALTER TABLE %s VALIDATE CONSTRAINT sterna_partition', $2::oid::regclass)
END
FROM (SELECT pg_catalog.pg_get_partition_constraintdef($1::oid) AS condition) AS p
LEFT JOIN pg_catalog.pg_constraint AS c ON c.conrelid = $2 AND c.conname = 'sterna_partition'
WHERE p.condition IS NOT NULL AND c.convalidated IS NOT TRUE
