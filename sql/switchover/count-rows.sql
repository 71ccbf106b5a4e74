-- Purpose: how many rows a table has.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
SELECT count(*) FROM {table}
