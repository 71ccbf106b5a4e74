-- Purpose: the foreign keys that a partition ($1) has from the partitioned table that is replaced
--   with it: statements that give them their names and comments, once that table has its keys.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT
    ARRAY[]::text[],
    array_remove(ARRAY[
        CASE WHEN c.conname <> p.conname THEN format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I',
            c.conrelid::regclass, p.conname, c.conname) END,
        CASE WHEN d.description IS NOT NULL THEN
            format('COMMENT ON CONSTRAINT %I ON %s IS %L', c.conname, c.conrelid::regclass,
                d.description)
        END
    ], NULL)
FROM pg_catalog.pg_constraint AS c
INNER JOIN pg_catalog.pg_constraint AS p ON p.oid = c.conparentid AND p.conrelid <> c.conrelid
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_constraint'::regclass
WHERE c.conrelid = $1 AND c.contype = 'f'
ORDER BY c.conname
