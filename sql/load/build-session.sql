-- Purpose: sets up a session that builds indexes, with memory to sort in; never less than the
--   server's own setting.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SELECT pg_catalog.set_config(
    'maintenance_work_mem',
    greatest(setting::bigint, 262144)::text || 'kB',
    false
)
FROM pg_catalog.pg_settings
WHERE name = 'maintenance_work_mem'
