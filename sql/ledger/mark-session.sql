-- Purpose: says on which machine ($1) the client of this session is, where that is known,
--   and which process there ($2); and what the session is called.
-- Lock: an advisory lock of the session, shared. Transaction: no.
-- Undone by: the end of the session.
SELECT
    CASE WHEN $1::integer IS NOT NULL THEN pg_catalog.pg_try_advisory_lock_shared($1, $2) END,
    pg_catalog.pg_backend_pid()
