-- Purpose: the single-column foreign keys of production with ON DELETE CASCADE: the column, and
--   what it refers to.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT here.attname::text, n.nspname::text, r.relname::text, there.attname::text
FROM pg_catalog.pg_constraint AS c
INNER JOIN pg_catalog.pg_class AS r ON r.oid = c.confrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
INNER JOIN pg_catalog.pg_attribute AS here
    ON here.attrelid = c.conrelid AND here.attnum = c.conkey[1]
INNER JOIN pg_catalog.pg_attribute AS there
    ON there.attrelid = c.confrelid AND there.attnum = c.confkey[1]
WHERE c.conrelid = $1
    AND c.contype = 'f'
    AND c.confdeltype = 'c'
    AND cardinality(c.conkey) = 1
    AND c.convalidated
    AND c.confrelid <> c.conrelid
