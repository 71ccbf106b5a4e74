-- Purpose: forgets a table's journal. Lock: none. Transaction: yes, with
--   journal/end.sql. Undone by: nothing.
DELETE FROM sterna.journaled WHERE relid = $1
