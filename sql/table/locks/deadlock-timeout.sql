-- Purpose: how many milliseconds a session waits before it checks for deadlocks.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT setting::bigint FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'
