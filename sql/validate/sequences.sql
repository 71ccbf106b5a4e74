-- Purpose: the sequences that the columns of a table draw from, owned or not, and whether
--   each is the column's identity: such a one is set behind the last row when staging
--   takes the table's place.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT DISTINCT a.attname::text, n.nspname::text, s.relname::text, a.attidentity <> ''
FROM pg_catalog.pg_attribute AS a
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
INNER JOIN pg_catalog.pg_depend AS p
    ON (p.classid = 'pg_catalog.pg_attrdef'::regclass AND p.objid = d.oid
        AND p.refclassid = 'pg_catalog.pg_class'::regclass)
    OR (p.classid = 'pg_catalog.pg_class'::regclass AND p.refobjid = a.attrelid
        AND p.refobjsubid = a.attnum AND p.deptype IN ('a', 'i'))
INNER JOIN pg_catalog.pg_class AS s ON s.oid IN (p.objid, p.refobjid) AND s.relkind = 'S'
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = s.relnamespace
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY 1, 2, 3
