-- Purpose: sessions whose snapshot may be older than the end of a load: they would see
--   the new table without its rows.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT format(
    'pid %s (%s%s, in a transaction for %s s): %s',
    a.pid,
    a.usename,
    ' ' || nullif(a.application_name, ''),
    round(extract(epoch FROM clock_timestamp() - a.xact_start)),
    left(regexp_replace(a.query, '\s+', ' ', 'g'), 80)
)
FROM pg_catalog.pg_stat_activity AS a
WHERE a.pid <> pg_backend_pid()
    AND a.datname = current_database()
    AND a.backend_type = 'client backend'
    AND a.backend_xmin IS NOT NULL
    AND a.xact_start < (
        SELECT max(r.finished_at) FROM sterna.load_run AS r
        WHERE r.staging = $1 AND r.state = 'loaded'
    )
ORDER BY a.xact_start
