-- Purpose: locks writers out; readers are not blocked.
-- Lock: SHARE ROW EXCLUSIVE on the table. Transaction: yes.
-- Undone by: the end of the transaction.
LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE
