-- Purpose: how many rows a table has. Lock: ACCESS SHARE. Transaction: either.
-- Undone by: nothing, it reads.
SELECT count(*) FROM {table}
