-- Purpose: records that a table and the partitions below it are sterna's own, with the fingerprint
--   of production when it was created from it.
-- Lock: none. Transaction: yes, that of table/stage/create.sql or of the exchange.
-- Undone by: table/stage/unregister.sql.
INSERT INTO sterna.staging (relid, schema_name, table_name, fingerprint)
SELECT $1, $2, $3, $4
UNION ALL
SELECT c.oid, n.nspname, c.relname, NULL
FROM pg_catalog.pg_partition_tree($1) AS t
INNER JOIN pg_catalog.pg_class AS c ON c.oid = t.relid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid <> $1
