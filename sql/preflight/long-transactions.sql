-- Purpose: transactions that have been open for more than a minute: the switchover waits for
--   those that have used the table or that began before the load was done.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT format(
    'pid %s (%s%s, %s, its transaction is %s s old): %s',
    a.pid,
    a.usename,
    ' ' || nullif(a.application_name, ''),
    a.state,
    round(extract(epoch FROM clock_timestamp() - a.xact_start)),
    left(regexp_replace(a.query, '\s+', ' ', 'g'), 60)
)
FROM pg_catalog.pg_stat_activity AS a
WHERE a.pid <> pg_backend_pid()
    AND a.datname = current_database()
    AND a.backend_type = 'client backend'
    AND a.xact_start < clock_timestamp() - interval '1 minute'
ORDER BY a.xact_start
LIMIT 10
