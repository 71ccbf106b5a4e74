-- Purpose: puts the rows of a table back. Lock: ROW EXCLUSIVE on the table, which
--   is new. Transaction: yes. Undone by: its rollback.
COPY {table} FROM STDIN (FORMAT binary)
