-- Purpose: does to the rows of the incoming table what a foreign key would have done to them when
--   the rows that they refer to were deleted, and counts them.
-- Lock: these rows. Transaction: a single statement. Undone by: loading again.
WITH settled AS ({settle} RETURNING 1)
SELECT count(*) FROM settled
