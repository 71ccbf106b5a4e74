-- Purpose: statements that give staging's columns the statistics targets, options, storage and
--   compression of production's columns with the same names.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT statement
FROM pg_catalog.pg_attribute AS p
INNER JOIN pg_catalog.pg_attribute AS s ON s.attrelid = $2 AND s.attname = p.attname
CROSS JOIN LATERAL (
    VALUES
    (
        CASE WHEN coalesce(p.attstattarget, -1) <> coalesce(s.attstattarget, -1) THEN format(
            'ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s',
            $2::oid::regclass, p.attname, coalesce(p.attstattarget, -1)
        ) END
    ),
    (
        CASE WHEN s.attoptions IS NOT NULL AND s.attoptions IS DISTINCT FROM p.attoptions THEN
            format(
                'ALTER TABLE %s ALTER COLUMN %I RESET (%s)', $2::oid::regclass, p.attname,
                (SELECT string_agg(split_part(o, '=', 1), ', ') FROM unnest(s.attoptions) AS o)
            )
        END
    ),
    (
        CASE WHEN p.attoptions IS NOT NULL AND s.attoptions IS DISTINCT FROM p.attoptions THEN
            format(
                'ALTER TABLE %s ALTER COLUMN %I SET (%s)', $2::oid::regclass, p.attname,
                array_to_string(p.attoptions, ', ')
            )
        END
    ),
    (
        CASE WHEN p.attstorage <> s.attstorage THEN format(
            'ALTER TABLE %s ALTER COLUMN %I SET STORAGE %s', $2::oid::regclass, p.attname,
            CASE p.attstorage
                WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED'
            END
        ) END
    ),
    (
        CASE WHEN p.attcompression <> s.attcompression THEN format(
            'ALTER TABLE %s ALTER COLUMN %I SET COMPRESSION %s', $2::oid::regclass, p.attname,
            CASE p.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' ELSE 'default' END
        ) END
    )
) AS statements (statement)
WHERE p.attrelid = $1 AND p.attnum > 0 AND NOT p.attisdropped AND statement IS NOT NULL
ORDER BY p.attnum
