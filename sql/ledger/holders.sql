-- Purpose: the other sessions that hold sterna's lock of one kind ($1) on a table ($2): whether
--   each is idle, and whose it is and since when, for people to act on.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    l.pid,
    -- The state of another role's session is hidden.
    a.state IS NOT DISTINCT FROM 'idle',
    concat(
        'session ', l.pid, ' of ' || a.usename, ' from ' || host(a.client_addr),
        to_char(a.backend_start AT TIME ZONE 'UTC', '", open since "YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        ', ' || a.state || ' for '
            || round(extract(epoch FROM clock_timestamp() - a.state_change)) || ' s'
    )
FROM pg_catalog.pg_locks AS l
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory'
    AND l.database = (
        SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
    )
    AND l.classid = $1::integer::oid
    AND l.objid = (pg_catalog.hashtext($2)::bigint & 4294967295)::oid
    AND l.objsubid = 2
    AND l.granted
    AND l.pid <> pg_catalog.pg_backend_pid()
ORDER BY a.backend_start
