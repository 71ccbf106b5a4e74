-- Purpose: after how many milliseconds of waiting a session looks for deadlocks.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT setting::bigint FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'
