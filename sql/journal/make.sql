-- Purpose: the table and the trigger function of a journal, which fill with writes once
--   the triggers of journal/begin.sql are there.
-- Lock: none, everything is new. Transaction: yes, with journal/begin.sql.
-- Undone by: journal/forget.sql.
SELECT sterna.make_journal($1::oid::regclass)
