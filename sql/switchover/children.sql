-- Purpose: the tables with foreign keys that refer to a table, and statements that
--   keep writers out of them.
-- Lock: none, it reads the catalog. Transaction: either.
-- Undone by: nothing, it reads.
SELECT DISTINCT
    conrelid,
    format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', conrelid::regclass)
FROM pg_catalog.pg_constraint
WHERE confrelid = $1 AND conrelid <> $1 AND contype = 'f'
ORDER BY conrelid
