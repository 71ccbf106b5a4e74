-- Purpose: records that writes to a table are recorded, and where they are to be carried.
-- Lock: none; that of journal/begin.sql keeps writers out. Transaction: yes, the same.
-- Undone by: journal/forget.sql.
WITH registered AS (INSERT INTO sterna.journaled (relid) VALUES ($1) RETURNING relid)
INSERT INTO sterna.carrying (relid, toward) SELECT relid, $2 FROM registered
