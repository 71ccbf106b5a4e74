-- Purpose: sequences that belong to a column without being its identity, as
--   statements that free them, lest they go with the old table, and that tie them
--   to the column of the same name again.
-- Lock: none, it reads the catalog. Transaction: either.
-- Undone by: nothing, it reads.
SELECT
    ARRAY[format('ALTER SEQUENCE %s OWNED BY NONE', d.objid::regclass)],
    ARRAY[format('ALTER SEQUENCE %s OWNED BY %s.%I', d.objid::regclass, d.refobjid::regclass,
        a.attname)]
FROM pg_catalog.pg_depend AS d
INNER JOIN pg_catalog.pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_catalog.pg_class'::regclass
    AND d.refclassid = 'pg_catalog.pg_class'::regclass
    AND d.refobjid = $1
    AND d.deptype = 'a'
ORDER BY s.relname
