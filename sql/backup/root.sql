-- Purpose: the partitioned table that a restored table ($1, a schema, and $2) is part of, else
--   the table itself.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH RECURSIVE above (oid, height) AS (
    SELECT c.oid, 0
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2
    UNION ALL
    SELECT i.inhparent, above.height + 1
    FROM above
    INNER JOIN pg_catalog.pg_class AS part ON part.oid = above.oid AND part.relispartition
    INNER JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = above.oid
)
SELECT n.nspname::text, c.relname::text
FROM above
INNER JOIN pg_catalog.pg_class AS c ON c.oid = above.oid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
ORDER BY above.height DESC
LIMIT 1
