-- Purpose: the foreign keys of this table: statements that drop them from the outgoing table,
--   so that they neither block the application nor delete rows with it, that add them to the
--   incoming table for new rows, and that validate the existing rows after the switchover, where
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
INNER JOIN pg_catalog.pg_class AS r ON r.oid = c.conrelid
-- Up to PostgreSQL 17, those of and to a partitioned table cannot be validated later.
CROSS JOIN LATERAL (
    SELECT r.relkind = 'p'
        AND pg_catalog.current_setting('server_version_num')::integer < 180000 AS at_once
) AS v
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_constraint'::regclass
WHERE c.conrelid = $1 AND c.contype = 'f' AND c.conparentid = 0
ORDER BY c.conname
