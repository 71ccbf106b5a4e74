-- Purpose: memory to join and to sort in, for the transaction; never less than the
--   server's own setting.
-- Lock: none. Transaction: yes. Undone by: its end.
SELECT pg_catalog.set_config('work_mem', greatest(setting::bigint, 65536)::text || 'kB', true)
FROM pg_catalog.pg_settings
WHERE name = 'work_mem'
