-- Purpose: restores the rows of a table.
-- Lock: ROW EXCLUSIVE on the table, which is new. Transaction: yes. Undone by: its rollback.
COPY {table} FROM STDIN (FORMAT binary)
