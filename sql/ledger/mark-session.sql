-- Purpose: marks this session with the machine ($1, if known) and the process ($2) of its
--   client; returns the session's pid.
-- Lock: an advisory lock of the session, shared. Transaction: no.
-- Undone by: the end of the session.
SELECT
    CASE WHEN $1::integer IS NOT NULL THEN pg_catalog.pg_try_advisory_lock_shared($1, $2) END,
    pg_catalog.pg_backend_pid()
