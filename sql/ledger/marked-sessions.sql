-- Purpose: the other sessions of clients on this machine ($1): the process of each, and when it
--   was opened. Only sessions of this role and application name count, so that what somebody
--   else has marked, or a pooler has passed on, is not taken for sterna's.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    l.pid,
    l.objid::bigint::integer,
    to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM pg_catalog.pg_locks AS l
INNER JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory'
    AND l.database = (
        SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
    )
    AND l.classid = ($1::integer::bigint & 4294967295)::oid
    AND l.objsubid = 2
    AND l.granted
    AND l.pid <> pg_catalog.pg_backend_pid()
    AND a.usename = session_user
    -- Without the session's purpose (crates/pg/src/name.rs).
    AND split_part(a.application_name, ': ', 1)
    = split_part(pg_catalog.current_setting('application_name'), ': ', 1)
