-- Purpose: the sessions that hold locks on some relations and their partitions, for people to act
--   on.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
-- pg_partition_tree() would wait for the very locks that are asked about.
WITH RECURSIVE below (oid) AS (
    SELECT unnest($1::oid[])
    UNION
    SELECT h.inhrelid FROM pg_catalog.pg_inherits AS h INNER JOIN below ON h.inhparent = below.oid
)
SELECT format(
    'pid %s (%s%s, %s for %s s): %s',
    a.pid,
    a.usename,
    ' ' || nullif(a.application_name, ''),
    coalesce(a.state, a.backend_type),
    round(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.backend_start))),
    left(regexp_replace(a.query, '\s+', ' ', 'g'), 80)
)
FROM pg_catalog.pg_stat_activity AS a
WHERE a.pid <> pg_backend_pid()
    AND a.pid IN (
        SELECT l.pid
        FROM pg_catalog.pg_locks AS l
        WHERE l.locktype = 'relation'
            AND l.granted
            AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
            AND l.relation IN (
                SELECT oid FROM below
            )
    )
ORDER BY a.xact_start
LIMIT 5
