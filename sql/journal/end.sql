-- Purpose: no longer records writes to a table.
-- Lock: ACCESS EXCLUSIVE on the table, briefly. Transaction: yes, with
--   journal/drop.sql and journal/forget.sql. Undone by: nothing, writes go unrecorded.
DROP TRIGGER IF EXISTS "!sterna_journal" ON {table};
DROP TRIGGER IF EXISTS "!sterna_journal_truncate" ON {table}
