-- Purpose: what a rehearsal needs to know of the database and the server that it copies. $1 is
--   the table, $2 what sterna made next to it.
-- Lock: ACCESS SHARE on the tables, for a moment. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT
    current_database()::text,
    session_user::text,
    current_setting('server_version'),
    current_setting('server_version_num')::integer / 10000,
    pg_total_relation_size($1::oid),
    (
        SELECT coalesce(sum(pg_total_relation_size(beside)), 0)::bigint
        FROM unnest($2::oid[]) AS beside
    ),
    pg_database_size(current_database())
