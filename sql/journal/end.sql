-- Purpose: no longer notes writes to a table down.
-- Lock: ACCESS EXCLUSIVE on the table, briefly. Transaction: yes, with
--   journal/forget.sql. Undone by: nothing, for writes go by unnoted.
DROP TRIGGER IF EXISTS "!sterna_journal" ON {table};
DROP TRIGGER IF EXISTS "!sterna_journal_truncate" ON {table}
