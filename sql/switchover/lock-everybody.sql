-- Purpose: keeps everybody out. Lock: ACCESS EXCLUSIVE on the table.
-- Transaction: yes. Undone by: its end.
LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE
