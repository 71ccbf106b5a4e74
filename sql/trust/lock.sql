-- Purpose: keeps others from adding a trigger or a rule to a table between the check for them
--   and the write in the same transaction.
-- Lock: ROW EXCLUSIVE on the table, which does not block readers or writers.
-- Transaction: yes, before its first snapshot. Undone by: the end of the transaction.
SET LOCAL lock_timeout = '2s';
LOCK TABLE {table} IN ROW EXCLUSIVE MODE
