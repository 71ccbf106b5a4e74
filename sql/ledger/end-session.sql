-- Purpose: ends a session ($3) of a process ($2) on this machine ($1) that no longer exists,
--   and waits up to 5 s for it to end.
-- Lock: none. Transaction: no.
-- Undone by: nothing; what the session had not committed is rolled back.
SELECT pg_catalog.pg_terminate_backend(l.pid, 5000)
FROM pg_catalog.pg_locks AS l
WHERE l.pid = $3
    AND l.locktype = 'advisory'
    AND l.database = (
        SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
    )
    AND l.classid = ($1::integer::bigint & 4294967295)::oid
    AND l.objid = $2::integer::oid
    AND l.objsubid = 2
    AND l.granted
