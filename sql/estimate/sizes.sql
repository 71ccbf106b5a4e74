-- Purpose: what the space of a migration of the table $1, with its partitions,
--   follows from, all sizes in bytes: the
--   database; the table's number of rows by its statistics, negative if there is none; its rows
--   and their primary key; all its indexes, and those too large to be sorted in the memory that a
--   build of staging's indexes has. Then max_wal_size, and whether WAL is kept for longer than
--   until the next checkpoint.
-- Lock: ACCESS SHARE on the table, for a moment. Transaction: either.
-- Undone by: nothing, it only reads.
WITH RECURSIVE tree (oid) AS (
    SELECT $1::oid
    UNION
    SELECT h.inhrelid FROM pg_catalog.pg_inherits AS h INNER JOIN tree ON h.inhparent = tree.oid
),
stored AS (
    SELECT
        -- Of a partitioned table, the partitions know it.
        sum(c.reltuples::float8) FILTER (WHERE c.relkind <> 'p') AS row_count,
        sum(pg_catalog.pg_table_size(c.oid))::bigint AS bytes
    FROM tree INNER JOIN pg_catalog.pg_class AS c ON c.oid = tree.oid
)
SELECT
    pg_catalog.pg_database_size(pg_catalog.current_database()),
    (SELECT row_count FROM stored),
    (SELECT bytes FROM stored),
    coalesce(sum(i.bytes) FILTER (WHERE i.indisprimary), 0)::bigint,
    coalesce(sum(i.bytes), 0)::bigint,
    coalesce(sum(i.bytes) FILTER (WHERE i.bytes > s.memory), 0)::bigint,
    s.wal,
    s.archives OR EXISTS (SELECT FROM pg_catalog.pg_replication_slots)
FROM (
    SELECT
        -- In kB; as in load/build-session.sql.
        max(greatest(setting::bigint, 262144) * 1024) FILTER (WHERE name = 'maintenance_work_mem')
            AS memory,
        -- In MB.
        max(setting::bigint * 1048576) FILTER (WHERE name = 'max_wal_size') AS wal,
        bool_or(setting <> 'off') FILTER (WHERE name = 'archive_mode') AS archives
    FROM pg_catalog.pg_settings
    WHERE name IN ('maintenance_work_mem', 'max_wal_size', 'archive_mode')
) AS s
LEFT JOIN (
    SELECT indisprimary, pg_catalog.pg_relation_size(indexrelid) AS bytes
    FROM pg_catalog.pg_index
    WHERE indrelid IN (SELECT oid FROM tree)
) AS i ON true
GROUP BY s.memory, s.wal, s.archives
