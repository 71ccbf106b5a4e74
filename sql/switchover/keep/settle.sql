-- Purpose: which writes go along from here on, from the first since the switchover; the others
--   are saved in a table ($3), where there is to be one.
-- Lock: their rows. Transaction: yes, with switchover/keep/create.sql. Undone by: itself.
WITH saved AS (
    UPDATE sterna.switchover SET left_relid = $3 WHERE new_relid = $1 AND state = 'switched'
)
UPDATE sterna.carrying
SET keep = $2, applied = since, entries = 0, added = 0, removed = 0
WHERE relid = $1 AND toward = 'old'
