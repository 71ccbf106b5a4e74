-- Purpose: creates the table and the trigger function of a journal. Writes are recorded once
--   the triggers of journal/begin.sql exist.
-- Lock: none, everything is new. Transaction: yes, with journal/begin.sql.
-- Undone by: journal/forget.sql.
SELECT sterna.make_journal($1::oid::regclass)
