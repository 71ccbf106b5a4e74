-- Purpose: forgets that a table ($1) is sterna's own, and the partitions that were registered with
--   it, also those that have left it since. Lock: none. Transaction: yes, that of
--   table/stage/drop.sql or of the exchange. Undone by: table/stage/register.sql.
DELETE FROM sterna.staging WHERE of = $1 OR relid = $1
