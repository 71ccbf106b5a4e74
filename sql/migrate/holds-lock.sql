-- Purpose: whether this session still holds the lock of its run.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT EXISTS (
    SELECT
    FROM pg_catalog.pg_locks
    WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid() AND granted
        AND classid = 1937010273::oid
)
