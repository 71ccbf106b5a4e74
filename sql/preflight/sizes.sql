-- Purpose: the sizes that the need of a migration follows from, in bytes: of the database, of
--   the table $1 with its indexes, and of a copy with only its primary key.
-- Lock: ACCESS SHARE on the table, for a moment. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT
    pg_catalog.pg_database_size(pg_catalog.current_database()),
    pg_catalog.pg_total_relation_size($1::oid),
    pg_catalog.pg_table_size($1::oid) + coalesce(
        (
            SELECT pg_catalog.pg_relation_size(i.indexrelid)
            FROM pg_catalog.pg_index AS i
            WHERE i.indrelid = $1::oid AND i.indisprimary
        ),
        0
    )
