-- Purpose: forgets that a table and the partitions below it are sterna's own. Lock: none.
--   Transaction: yes, that of table/stage/drop.sql or of the exchange. Undone by:
--   table/stage/register.sql.
DELETE FROM sterna.staging
WHERE relid = $1 OR relid IN (SELECT t.relid FROM pg_catalog.pg_partition_tree($1) AS t)
