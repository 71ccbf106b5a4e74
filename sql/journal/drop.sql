-- Purpose: drops the recorded writes and the function that recorded them.
-- Lock: ACCESS EXCLUSIVE on the journal, which nobody else uses.
-- Transaction: yes, after journal/end.sql. Undone by: nothing.
DROP TABLE IF EXISTS {journal};
DROP FUNCTION IF EXISTS {journal}()
