-- Purpose: the other sessions that hold sterna's lock of one kind ($1) on a table ($2): whether
--   each is idle, whose it is and since when, for people to act on, and whether it belongs to this
--   process ($4) on this machine ($3): null if the machine is not known.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    l.pid,
    -- The state of another role's session is hidden.
    a.state IS NOT DISTINCT FROM 'idle',
    concat(
        'session ', l.pid, ' of ' || a.usename, ' (' || nullif(a.application_name, '') || ')', ' from ' || host(a.client_addr),
        to_char(a.backend_start AT TIME ZONE 'UTC', '", open since "YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        ', ' || a.state || ' for '
            || round(extract(epoch FROM clock_timestamp() - a.state_change)) || ' s'
    ),
    $3 IS NULL OR EXISTS (
        SELECT FROM pg_catalog.pg_locks AS o
        WHERE o.pid = l.pid AND o.locktype = 'advisory' AND o.objsubid = 2 AND o.granted
            AND o.classid = ($3::integer::bigint & 4294967295)::oid
            AND o.objid = $4::integer::oid
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
