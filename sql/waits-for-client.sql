-- Purpose: whether a session ($1) waits for its client, or has ended, while the client waits
--   for its answer. Of this role, so that its state is shown.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT NOT EXISTS (
    SELECT FROM pg_catalog.pg_stat_activity AS a
    WHERE a.pid = $1
        AND a.usename = session_user
        AND a.wait_event_type IS DISTINCT FROM 'Client'
)
