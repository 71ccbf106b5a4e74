-- Purpose: records that a table ($1) and the partitions below it are sterna's own, with the
--   fingerprint of production when it was created from it ($2). What one of them was before, such
--   as an old table that somebody put back by renaming it, no longer counts.
-- Lock: ACCESS SHARE on the partitions. Transaction: yes, that of table/stage/create.sql or of the
--   exchange, after its renames.
-- Undone by: table/stage/unregister.sql.
INSERT INTO sterna.staging (relid, of, schema_name, table_name, fingerprint)
SELECT c.oid, $1, n.nspname, c.relname, CASE WHEN c.oid = $1 THEN $2::jsonb END
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = $1 OR c.oid IN (SELECT t.relid FROM pg_catalog.pg_partition_tree($1) AS t)
ON CONFLICT (relid) DO UPDATE
SET of = excluded.of, schema_name = excluded.schema_name, table_name = excluded.table_name,
    created_at = excluded.created_at, fingerprint = excluded.fingerprint,
    baseline_snapshot = NULL, baseline_rows = NULL
