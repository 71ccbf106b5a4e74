-- Purpose: forgets a synonym. Lock: none. Transaction: yes. Undone by:
--   species/insert-synonym.sql.
DELETE FROM sterna.synonym WHERE run_id = $1
