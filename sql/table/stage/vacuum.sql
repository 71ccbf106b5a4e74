-- Purpose: frozen rows, a visibility map and statistics, so that the first query
--   after a switchover is planned and run as any later one.
-- Lock: SHARE UPDATE EXCLUSIVE on staging. Transaction: must not be in one.
-- Undone by: nothing needs to.
VACUUM (FREEZE, ANALYZE) {staging}
