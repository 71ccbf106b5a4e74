-- Purpose: the server process that this session is talking to now, and after how many
--   milliseconds it looks for deadlocks while it waits for a lock.
-- Lock: none. Transaction: no, because a pooler may change it between transactions.
-- Undone by: nothing, it only reads.
SELECT pg_catalog.pg_backend_pid(), s.setting
FROM pg_catalog.pg_settings AS s
WHERE s.name OPERATOR(pg_catalog.=) 'deadlock_timeout'
