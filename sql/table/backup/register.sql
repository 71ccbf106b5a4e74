-- Purpose: records that a backup table is sterna's own.
-- Lock: none. Transaction: yes, that of table/backup/create.sql.
-- Undone by: table/backup/unregister.sql.
INSERT INTO sterna.backup_table (relid, schema_name, table_name, source, row_count, version)
VALUES ($1, $2, $3, $4, $5, $6)
