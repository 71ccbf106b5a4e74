-- Purpose: whether a session still exists.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_stat_activity AS a
    WHERE a.pid = $1 AND extract(epoch FROM a.backend_start)::text = $2
)
