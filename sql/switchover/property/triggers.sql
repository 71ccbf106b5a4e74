-- Purpose: the triggers of a relation, except sterna's own: statements that drop them and
--   create them again in their former state.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT
    ARRAY[format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass)],
    array_remove(ARRAY[
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
INNER JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = t.oid AND d.classoid = 'pg_catalog.pg_trigger'::regclass
WHERE t.tgrelid = $1
    AND NOT t.tgisinternal
    AND p.pronamespace IS DISTINCT FROM pg_catalog.to_regnamespace('sterna')
ORDER BY t.tgname
