-- Purpose: what a rehearsal needs to know of the database and the server that it copies. $1 is
--   the table, with its partitions if it has any; if it is a partition, a copy also holds all
--   others of the same tree.
-- Lock: ACCESS SHARE on the tables, for a moment. Transaction: either.
-- Undone by: nothing, it only reads.
WITH RECURSIVE above (oid) AS (
    SELECT $1::oid
    UNION
    SELECT i.inhparent
    FROM above
    INNER JOIN pg_catalog.pg_class AS part ON part.oid = above.oid AND part.relispartition
    INNER JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = above.oid
),
tree (oid, is_of_table) AS (
    SELECT oid, oid = $1 FROM above
    UNION
    SELECT i.inhrelid, tree.is_of_table OR i.inhrelid = $1
    FROM tree
    INNER JOIN pg_catalog.pg_inherits AS i ON i.inhparent = tree.oid
    INNER JOIN pg_catalog.pg_class AS part ON part.oid = i.inhrelid AND part.relispartition
),
sizes AS (
    SELECT oid, bool_or(is_of_table) AS is_of_table, pg_total_relation_size(oid) AS bytes
    FROM tree GROUP BY oid
)
SELECT
    current_database()::text,
    session_user::text,
    current_setting('server_version'),
    current_setting('server_version_num')::integer / 10000,
    (SELECT sum(bytes)::bigint FROM sizes WHERE is_of_table),
    (SELECT sum(bytes)::bigint FROM sizes),
    pg_database_size(current_database())
