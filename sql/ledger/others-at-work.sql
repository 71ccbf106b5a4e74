-- Purpose: sessions in which another sterna works on any table of this database, including idle
--   ones, which may be between two statements.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT l.pid
FROM pg_catalog.pg_locks AS l
WHERE l.locktype = 'advisory'
    AND l.database = (
        SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
    )
    AND l.classid = 1937010274::oid
    AND l.objsubid = 2
    AND l.granted
    AND l.pid <> pg_catalog.pg_backend_pid()
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_locks AS w
        WHERE w.pid = l.pid AND NOT w.granted AND w.locktype = 'advisory'
            AND w.classid = 1937010273::oid AND w.objid = 0::oid
    )
ORDER BY l.pid
