-- Purpose: where a report is written: the server, the database, and the settings that affect
--   durations, as set by the server and the role (sql/session.sql sets jit).
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    pg_catalog.version(),
    pg_catalog.current_database()::text,
    current_user::text,
    (
        SELECT pg_catalog.jsonb_object_agg(
            name,
            CASE name WHEN 'jit' THEN reset_val ELSE pg_catalog.current_setting(name) END
            ORDER BY name
        )
        FROM pg_catalog.pg_settings
        WHERE name IN (
            'autovacuum', 'checkpoint_timeout', 'effective_cache_size', 'fsync', 'jit',
            'maintenance_work_mem', 'max_connections', 'max_wal_size', 'shared_buffers',
            'synchronous_commit', 'wal_level', 'work_mem'
        )
    ),
    to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
