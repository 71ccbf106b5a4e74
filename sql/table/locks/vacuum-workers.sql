-- Purpose: for each of the given tables and their partitions that an autovacuum is working on, a lock that makes the
--   autovacuum yield, and that neither readers nor writers queue behind.
-- Lock: none, it only produces text. Transaction: either. Undone by: nothing, it only reads.
SELECT DISTINCT format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', l.relation::regclass)
FROM pg_catalog.pg_locks AS l
INNER JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
INNER JOIN pg_catalog.pg_class AS c ON c.oid = l.relation AND c.relkind IN ('r', 'm')
WHERE l.locktype = 'relation'
    AND l.granted
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
    AND l.relation IN (
        SELECT unnest($1::oid[])
        UNION ALL
        SELECT t.relid FROM unnest($1::oid[]) AS r (oid), pg_catalog.pg_partition_tree(r.oid) AS t
    )
    AND a.backend_type = 'autovacuum worker'
