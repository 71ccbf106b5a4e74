-- Purpose: other sessions that are at work on a table: what they are doing may yet be
--   committed. Lock: none. Transaction: no. Undone by: nothing, it reads.
SELECT l.pid
FROM pg_catalog.pg_locks AS l
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory'
    AND l.database = (
        SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
    )
    AND l.classid = 1937010274::oid
    AND l.objid = (pg_catalog.hashtext($1)::bigint & 4294967295)::oid
    AND l.objsubid = 2
    AND l.granted
    AND l.pid <> pg_catalog.pg_backend_pid()
    -- Of another role's session the state is not shown.
    AND a.state IS DISTINCT FROM 'idle'
