-- Purpose: gives the transaction memory to join and sort in; never less than the server's own
--   setting.
-- Lock: none. Transaction: yes. Undone by: the end of the transaction.
SELECT pg_catalog.set_config('work_mem', greatest(setting::bigint, 65536)::text || 'kB', true)
FROM pg_catalog.pg_settings
WHERE name = 'work_mem'
