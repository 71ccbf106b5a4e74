-- Purpose: for each of the given tables and their partitions that an autovacuum is working on, a
--   lock that makes the autovacuum yield, and that neither readers nor writers queue behind.
-- Lock: none, it only produces text. Transaction: either. Undone by: nothing, it only reads.
-- pg_partition_tree() would wait for the very locks that are asked about.
WITH RECURSIVE below (oid) AS (
    SELECT unnest($1::oid[])
    UNION
    SELECT h.inhrelid FROM pg_catalog.pg_inherits AS h INNER JOIN below ON h.inhparent = below.oid
)
SELECT DISTINCT format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', l.relation::regclass)
FROM pg_catalog.pg_locks AS l
INNER JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
INNER JOIN pg_catalog.pg_class AS c ON c.oid = l.relation AND c.relkind IN ('r', 'm')
WHERE l.locktype = 'relation'
    AND l.granted
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
    AND l.relation IN (
        SELECT oid FROM below
    )
    AND a.backend_type = 'autovacuum worker'
