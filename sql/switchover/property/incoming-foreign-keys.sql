-- Purpose: foreign keys of other tables that refer to this one: statements that drop them, that
--   add them again for new rows, and that validate the existing rows after the switchover, where
--   that is possible.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT
    ARRAY[format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname)],
    array_remove(ARRAY[
        format(
            'ALTER TABLE %s ADD CONSTRAINT %I %s%s',
            c.conrelid::regclass,
            c.conname,
            regexp_replace(pg_catalog.pg_get_constraintdef(c.oid), ' NOT VALID$', ''),
            CASE WHEN NOT v.at_once THEN ' NOT VALID' END
        ),
        CASE WHEN d.description IS NOT NULL THEN
            format('COMMENT ON CONSTRAINT %I ON %s IS %L', c.conname, c.conrelid::regclass,
                d.description)
        END
    ], NULL),
    CASE WHEN c.convalidated AND NOT v.at_once THEN
        ARRAY[format('ALTER TABLE %s VALIDATE CONSTRAINT %I', c.conrelid::regclass, c.conname)]
    ELSE ARRAY[]::text[] END
FROM pg_catalog.pg_constraint AS c
INNER JOIN pg_catalog.pg_class AS r ON r.oid = c.confrelid
-- Up to PostgreSQL 17, those of and to a partitioned table cannot be validated later.
CROSS JOIN LATERAL (
    SELECT c.convalidated AND r.relkind = 'p'
        AND pg_catalog.current_setting('server_version_num')::integer < 180000 AS at_once
) AS v
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_constraint'::regclass
WHERE c.confrelid = $1 AND c.conrelid <> $1 AND c.contype = 'f' AND c.conparentid = 0
ORDER BY c.conrelid::regclass::text, c.conname
