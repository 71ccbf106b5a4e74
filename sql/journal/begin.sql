-- Purpose: has every later write to a table noted down, whoever writes it and with
--   whatever session_replication_role. Triggers fire by name: this one comes first,
--   because another may write to the same row, and that is to be noted after it.
-- Lock: SHARE ROW EXCLUSIVE on the table. Transaction: yes, with journal/register.sql.
-- Undone by: journal/end.sql.
CREATE TRIGGER "!sterna_journal"
    AFTER INSERT OR UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION sterna.journal();
CREATE TRIGGER "!sterna_journal_truncate"
    AFTER TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION sterna.journal();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER "!sterna_journal";
ALTER TABLE {table} ENABLE ALWAYS TRIGGER "!sterna_journal_truncate"
