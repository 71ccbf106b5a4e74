-- Purpose: the statements that remove from staging what rows cannot satisfy before they are
--   matched with production's: requirements on the columns ($2) that the files do not fill, and
--   everything that is built again after the rows. No numbers of production's sequences are
--   drawn for rows that already have theirs. What a partition has from the table above it goes with
--   that table's.
-- Lock: none, it only reads the catalog; its statements: ACCESS EXCLUSIVE on staging ($1).
-- Transaction: either. Undone by: load/match/tighten.sql and an index build.
SELECT statement
FROM (
    SELECT 1 AS position, format('ALTER TABLE %s DROP CONSTRAINT %I', $1::oid::regclass, conname)
        AS statement
    FROM pg_catalog.pg_constraint
    WHERE conrelid = $1 AND conparentid = 0 AND coninhcount = 0 AND (
        contype IN ('f', 'p', 'u', 'x')
        OR contype = 'c' AND EXISTS (
            SELECT FROM pg_catalog.pg_attribute
            WHERE attrelid = $1 AND attnum = ANY (conkey) AND attname::text = ANY ($2)
        )
    )
    UNION ALL
    SELECT 1, format('DROP INDEX %s', i.indexrelid::regclass)
    FROM pg_catalog.pg_index AS i
    INNER JOIN pg_catalog.pg_class AS ic ON ic.oid = i.indexrelid
    WHERE i.indrelid = $1 AND NOT ic.relispartition AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_constraint AS c
        WHERE c.conrelid = $1 AND c.conindid = i.indexrelid
    )
    UNION ALL
    -- After the primary key is dropped, which requires NOT NULL as well.
    SELECT 2, format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', $1::oid::regclass, attname)
    FROM pg_catalog.pg_attribute
    WHERE attrelid = $1 AND attname::text = ANY ($2) AND atthasdef AND attgenerated = ''
    UNION ALL
    SELECT 2, format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', $1::oid::regclass, attname)
    FROM pg_catalog.pg_attribute AS a
    WHERE attrelid = $1 AND attname::text = ANY ($2) AND attnotnull AND attidentity = ''
        -- A partition cannot do without what the table above it requires.
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_inherits AS h
            INNER JOIN pg_catalog.pg_attribute AS above
                ON above.attrelid = h.inhparent AND above.attname = a.attname AND above.attnotnull
            WHERE h.inhrelid = $1
        )
) AS statements
ORDER BY position, statement
