-- Purpose: the triggers of a relation, except sterna's own: statements that drop them and
--   create them again in their former state. A partition's copies of its parent's triggers come
--   and go with the parent, in the parent's state.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT
    CASE WHEN t.tgparentid = 0
        THEN ARRAY[format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass)] END,
    array_remove(ARRAY[
        CASE WHEN t.tgparentid = 0 THEN pg_catalog.pg_get_triggerdef(t.oid) END,
        CASE WHEN t.tgenabled <> coalesce(parent.tgenabled, 'O') THEN format(
            'ALTER TABLE %s %s TRIGGER %I',
            t.tgrelid::regclass,
            CASE t.tgenabled
                WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS'
                ELSE 'ENABLE'
            END,
            t.tgname
        ) END,
        CASE WHEN d.description IS NOT NULL THEN
            format('COMMENT ON TRIGGER %I ON %s IS %L', t.tgname, t.tgrelid::regclass, d.description)
        END
    ], NULL)
FROM pg_catalog.pg_trigger AS t
INNER JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
LEFT JOIN pg_catalog.pg_trigger AS parent ON parent.oid = t.tgparentid
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = t.oid AND d.classoid = 'pg_catalog.pg_trigger'::regclass
WHERE t.tgrelid = $1
    AND (
        NOT t.tgisinternal
        -- PostgreSQL 14 counts a partition's copy of a trigger as internal.
        OR t.tgparentid <> 0 AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_constraint AS c
            WHERE c.oid = t.tgconstraint AND c.contype <> 't'
        )
    )
    AND p.pronamespace IS DISTINCT FROM pg_catalog.to_regnamespace('sterna')
ORDER BY t.tgname
