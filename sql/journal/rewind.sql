-- Purpose: has all writes carried over to staging again, because staging is being emptied.
-- Lock: none. Transaction: yes, that of table/stage/truncate.sql or table/stage/drop.sql.
-- Undone by: journal/carry-over.sql.
UPDATE sterna.carrying SET applied = since, entries = 0, added = 0, removed = 0
WHERE relid = $1 AND toward = 'staging'
