-- Purpose: how a table ($1) is partitioned, in words of CREATE TABLE. No row if it is not.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT 'PARTITION BY ' || pg_catalog.pg_get_partkeydef(partrelid)
FROM pg_catalog.pg_partitioned_table
WHERE partrelid = $1
