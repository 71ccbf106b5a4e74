-- Purpose: the planner's estimate of the row count of a table with its partitions; negative if it has
--   none.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH RECURSIVE tree (oid) AS (
    SELECT c.oid
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2
    UNION
    SELECT h.inhrelid FROM pg_catalog.pg_inherits AS h INNER JOIN tree ON h.inhparent = tree.oid
)
-- Of a partitioned table, the partitions know it.
SELECT sum(c.reltuples::float8)
FROM tree
INNER JOIN pg_catalog.pg_class AS c ON c.oid = tree.oid AND c.relkind <> 'p'
HAVING count(*) > 0
