-- Purpose: what tells this session from all others, also from a later one of the same number.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT a.pid, extract(epoch FROM a.backend_start)::text
FROM pg_catalog.pg_stat_activity AS a
WHERE a.pid = pg_catalog.pg_backend_pid()
