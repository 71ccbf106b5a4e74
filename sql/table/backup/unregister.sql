-- Purpose: forgets a backup table. Lock: none. Transaction: yes, that of
--   table/backup/drop.sql. Undone by: table/backup/register.sql.
DELETE FROM sterna.backup_table WHERE relid = $1
