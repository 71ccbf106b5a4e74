-- Purpose: records that a table has a journal, and in which direction its writes are carried
--   over.
-- Lock: none; that of journal/begin.sql keeps writers out. Transaction: yes, the same.
-- Undone by: journal/forget.sql.
WITH registered AS (INSERT INTO sterna.journaled (relid) VALUES ($1) RETURNING relid)
INSERT INTO sterna.carrying (relid, toward) SELECT relid, $2 FROM registered
