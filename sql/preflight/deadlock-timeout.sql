-- Purpose: whether the server checks for deadlocks so soon that a switchover, which stays below
--   that time, has none left to hold its locks.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT format('deadlock_timeout is %s ms', setting)
FROM pg_catalog.pg_settings
WHERE name = 'deadlock_timeout' AND setting::integer < 200
