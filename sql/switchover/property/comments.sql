-- Purpose: statements that restore the comments on a relation and its columns.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT
    ARRAY[]::text[],
    ARRAY[
        CASE
            WHEN d.objsubid > 0 THEN
                format('COMMENT ON COLUMN %s.%I IS %L', c.oid::regclass, a.attname, d.description)
            ELSE format(
                'COMMENT ON %s %s IS %L',
                CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END,
                c.oid::regclass,
                d.description
            )
        END
    ]
FROM pg_catalog.pg_description AS d
INNER JOIN pg_catalog.pg_class AS c ON c.oid = d.objoid
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.objsubid
WHERE d.objoid = $1
    AND d.classoid = 'pg_catalog.pg_class'::regclass
ORDER BY d.objsubid
