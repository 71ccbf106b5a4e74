-- Purpose: nobody puts a trigger or a rule on a table between the look at them and what
--   is written to it in the same transaction.
-- Lock: ROW EXCLUSIVE on the table, which readers and writers do not wait for.
-- Transaction: yes, before its first snapshot. Undone by: its end.
SET LOCAL lock_timeout = '2s';
LOCK TABLE {table} IN ROW EXCLUSIVE MODE
