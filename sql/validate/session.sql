-- Purpose: gives checks memory to group and sort in; never less than the server's own setting.
-- Lock: none. Transaction: yes, it holds until its end. Undone by: the end of the transaction.
SELECT pg_catalog.set_config('work_mem', greatest(setting::bigint, 32768)::text || 'kB', true)
FROM pg_catalog.pg_settings
WHERE name = 'work_mem'
