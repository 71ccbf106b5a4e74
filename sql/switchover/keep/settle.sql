-- Purpose: sets which writes are carried back, starting over with the first since the
--   switchover; the others are saved in a table ($3), if there is one.
-- Lock: their rows. Transaction: yes, with switchover/keep/create.sql. Undone by: itself.
WITH saved AS (
    UPDATE sterna.switchover SET left_relid = $3 WHERE new_relid = $1 AND state = 'switched'
)
UPDATE sterna.carrying
SET keep = $2, applied = since, entries = 0, added = 0, removed = 0
WHERE relid = $1 AND toward = 'old'
