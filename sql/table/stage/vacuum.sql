-- Purpose: creates frozen rows, a visibility map and statistics, so that the first query after
--   a switchover is planned and run like any later one.
-- Lock: SHARE UPDATE EXCLUSIVE on staging. Transaction: must not be in one.
-- Undone by: not needed.
VACUUM (FREEZE, ANALYZE) {staging}
