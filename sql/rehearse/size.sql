-- Purpose: the size of the database, and how much write-ahead log the server has written since
--   it was created.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    pg_database_size(current_database()),
    pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint
