-- Purpose: the tables that a table's foreign keys refer to, except itself, and the tables whose
--   foreign keys refer to it.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT DISTINCT
    c.conrelid = $1,
    CASE WHEN c.conrelid = $1 THEN c.confrelid ELSE c.conrelid END
FROM pg_catalog.pg_constraint AS c
WHERE c.contype = 'f' AND $1 IN (c.conrelid, c.confrelid) AND c.conrelid <> c.confrelid
ORDER BY 2
