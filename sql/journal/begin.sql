-- Purpose: records every later write to a table, by any role and with any
--   session_replication_role. Triggers left over from a restored dump are replaced.
-- Lock: SHARE ROW EXCLUSIVE on the table.
-- Transaction: yes, with journal/make.sql before it and journal/register.sql.
-- Undone by: journal/end.sql.
CREATE OR REPLACE TRIGGER "!sterna_journal"
    AFTER INSERT OR UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {journal}();
CREATE OR REPLACE TRIGGER "!sterna_journal_truncate"
    AFTER TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION {journal}();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER "!sterna_journal";
ALTER TABLE {table} ENABLE ALWAYS TRIGGER "!sterna_journal_truncate"
