-- Purpose: forgets a staging table. Lock: none. Transaction: yes, that of
--   table/stage/drop.sql. Undone by: table/stage/register.sql.
DELETE FROM sterna.staging WHERE relid = $1
