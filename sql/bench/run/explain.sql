-- Purpose: the plan of the query that follows, run once. Lock: as the query's.
-- Transaction: either. Undone by: nothing, the session is read only.
EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)
