-- Purpose: the size of the database, and how much of the log has been written since the
--   server was made.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT
    pg_database_size(current_database()),
    pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint
