-- Purpose: how many rows a rollback has left behind. Lock: ACCESS SHARE on their table.
-- Transaction: either. Undone by: nothing, it reads.
SELECT count(*) FROM {left}
