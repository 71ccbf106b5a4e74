-- Purpose: runs the query that follows to its last row, and says how long the server took
--   to plan and to run it: at any distance the same. Lock: as the query's.
-- Transaction: either. Undone by: nothing, the session is read only.
EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON)
