-- Purpose: runs the query that follows once, and returns its plan.
-- Lock: that of the query. Transaction: either. Undone by: nothing, the session is read only.
EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)
