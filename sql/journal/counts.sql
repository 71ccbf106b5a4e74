-- Purpose: counts the rows of the live table and of the incoming one, in the same snapshot as
--   journal/state.sql if that is read in the same transaction.
-- Lock: ACCESS SHARE on both. Transaction: REPEATABLE READ. Undone by: nothing, it only reads.
SELECT (SELECT count(*) FROM {live}), (SELECT count(*) FROM {incoming})
