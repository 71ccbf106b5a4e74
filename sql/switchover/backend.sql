-- Purpose: what identifies this session, even among later ones with the same pid.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT a.pid, extract(epoch FROM a.backend_start)::text
FROM pg_catalog.pg_stat_activity AS a
WHERE a.pid = pg_catalog.pg_backend_pid()
