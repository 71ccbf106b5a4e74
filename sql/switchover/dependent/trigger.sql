-- Purpose: statements that recreate a trigger of another table, which names the replaced table,
--   for the new one.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT array_remove(ARRAY[
    format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass),
    pg_catalog.pg_get_triggerdef(t.oid),
    CASE WHEN t.tgenabled <> 'O' THEN format(
        'ALTER TABLE %s %s TRIGGER %I',
        t.tgrelid::regclass,
        CASE t.tgenabled
            WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS'
        END,
        t.tgname
    ) END,
    CASE WHEN d.description IS NOT NULL THEN
        format('COMMENT ON TRIGGER %I ON %s IS %L', t.tgname, t.tgrelid::regclass, d.description)
    END
], NULL)
FROM pg_catalog.pg_trigger AS t
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = t.oid AND d.classoid = 'pg_catalog.pg_trigger'::regclass
WHERE t.oid = $1
