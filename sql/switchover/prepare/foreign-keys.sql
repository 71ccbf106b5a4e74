-- Purpose: the foreign keys of the incoming table, except to itself: the table that each refers
--   to, a lock on that table, and the statement that drops the key.
-- Lock: none, it only produces text. Transaction: either. Undone by: nothing, it only reads.
SELECT
    c.confrelid,
    format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', c.confrelid::regclass),
    format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname)
FROM pg_catalog.pg_constraint AS c
WHERE c.conrelid = $1 AND c.contype = 'f' AND c.conparentid = 0
ORDER BY c.confrelid, c.conname
