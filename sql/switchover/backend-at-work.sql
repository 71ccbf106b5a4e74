-- Purpose: whether a session is still there. Lock: none. Transaction: either.
-- Undone by: nothing, it reads.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_stat_activity AS a
    WHERE a.pid = $1 AND extract(epoch FROM a.backend_start)::text = $2
)
