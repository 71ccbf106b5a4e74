-- Purpose: forgets a backup table. Lock: none. Transaction: yes, that of
--   backup-table/drop.sql. Undone by: backup-table/register.sql.
DELETE FROM sterna.backup_table WHERE relid = $1
