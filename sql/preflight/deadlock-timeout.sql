-- Purpose: whether the server looks for deadlocks so soon that a switchover, which stays
--   below that time, has none to hold its locks in.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT format('deadlock_timeout is %s ms', setting)
FROM pg_catalog.pg_settings
WHERE name = 'deadlock_timeout' AND setting::integer < 200
