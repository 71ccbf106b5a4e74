-- Purpose: forgets a staging table. Lock: none. Transaction: yes, that of
--   stage/drop.sql. Undone by: stage/register.sql.
DELETE FROM sterna.staging WHERE relid = $1
