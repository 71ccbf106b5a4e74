-- Purpose: the rules of a relation other than a view's own query: statements that drop them and
--   create them again in their former state.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT
    ARRAY[format('DROP RULE %I ON %s', r.rulename, r.ev_class::regclass)],
    array_remove(ARRAY[
        pg_catalog.pg_get_ruledef(r.oid),
        CASE WHEN r.ev_enabled <> 'O' THEN format(
            'ALTER TABLE %s %s RULE %I',
            r.ev_class::regclass,
            CASE r.ev_enabled
                WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS'
            END,
            r.rulename
        ) END,
        CASE WHEN d.description IS NOT NULL THEN
            format('COMMENT ON RULE %I ON %s IS %L', r.rulename, r.ev_class::regclass, d.description)
        END
    ], NULL)
FROM pg_catalog.pg_rewrite AS r
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = r.oid AND d.classoid = 'pg_catalog.pg_rewrite'::regclass
WHERE r.ev_class = $1 AND r.rulename <> '_RETURN'
ORDER BY r.rulename
