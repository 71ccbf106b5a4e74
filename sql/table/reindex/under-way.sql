-- Purpose: sessions that are building or rebuilding an index of a table or its partitions
--   right now; their
--   unfinished index is not a leftover. The view shows all databases, and a table of another one
--   may have the same oid, above all where both were created from one template.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH RECURSIVE tree (oid) AS (
    SELECT $1::oid
    UNION
    SELECT h.inhrelid FROM pg_catalog.pg_inherits AS h INNER JOIN tree ON h.inhparent = tree.oid
)
SELECT pid
FROM pg_catalog.pg_stat_progress_create_index
WHERE datname = pg_catalog.current_database() AND relid IN (SELECT oid FROM tree)
    AND pid <> pg_catalog.pg_backend_pid()
ORDER BY pid
