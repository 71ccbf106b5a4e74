-- Purpose: reads the rows of a table.
-- Lock: ACCESS SHARE. Transaction: yes, on the backup's snapshot.
-- Undone by: nothing, it only reads.
COPY {table} TO STDOUT (FORMAT binary)
