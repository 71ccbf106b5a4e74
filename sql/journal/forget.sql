-- Purpose: forgets a table's journal. Lock: none. Transaction: yes, with
--   journal/end.sql. Undone by: nothing.
WITH entries AS (DELETE FROM sterna.journal WHERE relid = $1)
DELETE FROM sterna.journaled WHERE relid = $1
