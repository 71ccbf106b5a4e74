-- Purpose: how many rows a rollback left behind.
-- Lock: ACCESS SHARE on their table. Transaction: either. Undone by: nothing, it only reads.
SELECT count(*) FROM {left}
