-- Purpose: stops recording writes to a table.
-- Lock: ACCESS EXCLUSIVE on the table, briefly.
-- Transaction: yes, with journal/drop.sql and journal/forget.sql.
-- Undone by: nothing; later writes are not recorded.
DROP TRIGGER IF EXISTS "!sterna_journal" ON {table};
DROP TRIGGER IF EXISTS "!sterna_journal_truncate" ON {table}
