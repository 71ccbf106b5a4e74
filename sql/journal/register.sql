-- Purpose: notes that writes to a table are noted down.
-- Lock: none; that of journal/begin.sql keeps writers out. Transaction: yes, the same.
-- Undone by: journal/forget.sql.
INSERT INTO sterna.journaled (relid) VALUES ($1)
