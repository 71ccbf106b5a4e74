-- Purpose: locks everybody out.
-- Lock: ACCESS EXCLUSIVE on the table. Transaction: yes. Undone by: the end of the transaction.
LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE
