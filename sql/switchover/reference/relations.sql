-- Purpose: the tables that the foreign keys of some tables ($1) refer to, except these, and the
--   tables whose foreign keys refer to them.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT DISTINCT
    c.conrelid = ANY ($1::oid[]),
    CASE WHEN c.conrelid = ANY ($1) THEN c.confrelid ELSE c.conrelid END
FROM pg_catalog.pg_constraint AS c
WHERE c.contype = 'f'
    AND (c.conrelid = ANY ($1)) <> (c.confrelid = ANY ($1))
ORDER BY 2
