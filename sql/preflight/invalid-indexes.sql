-- Purpose: indexes of the live table and its partitions that queries cannot use.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
WITH RECURSIVE tree (oid) AS (
    SELECT $1::oid
    UNION
    SELECT h.inhrelid FROM pg_catalog.pg_inherits AS h INNER JOIN tree ON h.inhparent = tree.oid
)
SELECT indexrelid::regclass::text
FROM pg_catalog.pg_index
WHERE indrelid IN (SELECT oid FROM tree) AND NOT (indisvalid AND indisready AND indislive)
ORDER BY 1
