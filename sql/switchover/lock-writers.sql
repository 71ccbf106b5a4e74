-- Purpose: keeps writers out, while readers go on.
-- Lock: SHARE ROW EXCLUSIVE on the table. Transaction: yes. Undone by: its end.
LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE
