-- Purpose: rows of the live table and of the incoming one, in the same snapshot as
--   journal/state.sql when that is read in the same transaction.
-- Lock: ACCESS SHARE on both. Transaction: REPEATABLE READ.
-- Undone by: nothing, it reads.
SELECT (SELECT count(*) FROM {live}), (SELECT count(*) FROM {incoming})
