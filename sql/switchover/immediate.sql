-- Purpose: has deferred constraints checked now, for a table with events that wait
--   cannot be altered. Lock: none. Transaction: yes. Undone by: its end.
SET CONSTRAINTS ALL IMMEDIATE
