-- Purpose: a table ($1); if it is a partition or partitioned, all tables of the same tree.
-- Lock: none. Transaction: yes, on the backup's snapshot. Undone by: nothing, it only reads.
WITH RECURSIVE above (oid) AS (
    SELECT $1::oid
    UNION
    SELECT i.inhparent
    FROM above
    INNER JOIN pg_catalog.pg_class AS part ON part.oid = above.oid AND part.relispartition
    INNER JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = above.oid
),
tree (oid) AS (
    SELECT oid FROM above
    UNION
    SELECT i.inhrelid
    FROM tree
    INNER JOIN pg_catalog.pg_inherits AS i ON i.inhparent = tree.oid
    INNER JOIN pg_catalog.pg_class AS part ON part.oid = i.inhrelid AND part.relispartition
)
SELECT oid FROM tree
