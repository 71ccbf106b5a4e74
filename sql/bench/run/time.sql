-- Purpose: runs the query that follows to its last row, and reports the server's own planning
--   and execution time, which does not depend on the distance.
-- Lock: that of the query. Transaction: either. Undone by: nothing, the session is read only.
EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON)
