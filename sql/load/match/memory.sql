-- Purpose: gives the transaction memory to join and sort in, never less than the server's own
--   setting; and has it hash the smaller table instead of sorting both. The server knows nothing
--   about the hashes that rows are matched by, and would sort all of production for a few rows.
-- Lock: none. Transaction: yes. Undone by: the end of the transaction.
SELECT
    pg_catalog.set_config('work_mem', greatest(setting::bigint, 65536)::text || 'kB', true),
    pg_catalog.set_config('enable_mergejoin', 'off', true)
FROM pg_catalog.pg_settings
WHERE name = 'work_mem'
