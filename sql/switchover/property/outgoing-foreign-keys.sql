-- Purpose: the foreign keys of this table: statements that drop them from the outgoing table,
--   so that they neither block the application nor delete rows with it, that add them to the
--   incoming table for new rows, that give those which its partitions have from them their names and
--   comments, and that validate the existing rows after the switchover, where that is possible.
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
    ], NULL) || n.named,
    CASE WHEN c.convalidated AND NOT v.at_once THEN
        ARRAY[format('ALTER TABLE %s VALIDATE CONSTRAINT %I', c.conrelid::regclass, c.conname)]
    ELSE ARRAY[]::text[] END
FROM pg_catalog.pg_constraint AS c
INNER JOIN pg_catalog.pg_class AS r ON r.oid = c.conrelid
-- Up to PostgreSQL 17, those of and to a partitioned table cannot be validated later.
CROSS JOIN LATERAL (
    SELECT c.convalidated AND r.relkind = 'p'
        AND pg_catalog.current_setting('server_version_num')::integer < 180000 AS at_once
) AS v
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_constraint'::regclass
CROSS JOIN LATERAL (
    WITH RECURSIVE below (oid) AS (
        SELECT c.oid
        UNION
        SELECT k.oid FROM pg_catalog.pg_constraint AS k
        INNER JOIN below ON k.conparentid = below.oid
        WHERE k.contype = 'f'
    )
    -- The server gives every one of them the name of the topmost.
    SELECT coalesce(array_agg(s.sql ORDER BY s.position, s.relid), '{}') AS named
    FROM (
        SELECT 1, k.conrelid, format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I',
            k.conrelid::regclass, c.conname, k.conname)
        FROM pg_catalog.pg_constraint AS k
        WHERE k.oid IN (SELECT oid FROM below) AND k.conrelid <> c.conrelid
            AND k.conname <> c.conname
        UNION ALL
        SELECT 2, k.conrelid, format('COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname,
            k.conrelid::regclass, e.description)
        FROM pg_catalog.pg_constraint AS k
        INNER JOIN pg_catalog.pg_description AS e
            ON e.objoid = k.oid AND e.classoid = 'pg_catalog.pg_constraint'::regclass
        WHERE k.oid IN (SELECT oid FROM below) AND k.conrelid <> c.conrelid
    ) AS s (position, relid, sql)
) AS n
WHERE c.conrelid = $1 AND c.contype = 'f' AND c.conparentid = 0
ORDER BY c.conname
