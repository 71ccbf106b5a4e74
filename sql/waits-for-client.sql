-- Purpose: whether a session ($1) is waiting for its client, or has ended, while the client
--   waits for its answer. The session must be this role's, so that its state is visible.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT NOT EXISTS (
    SELECT FROM pg_catalog.pg_stat_activity AS a
    WHERE a.pid = $1
        AND a.usename = session_user
        AND a.wait_event_type IS DISTINCT FROM 'Client'
)
