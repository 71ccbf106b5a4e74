-- Purpose: statements that give staging's indexes what production's have besides their
--   definitions: tablespace, statistics targets of expressions, the index that the table was
--   clustered on, and the one that identifies rows to subscribers.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT statement
FROM (
    SELECT
        format('ALTER INDEX %s SET TABLESPACE %I', s.oid::regclass,
            coalesce(t.spcname, d.spcname)) AS statement
    FROM unnest($3::oid[], $4::oid[]) AS pair (production, staging)
    INNER JOIN pg_catalog.pg_class AS p ON p.oid = pair.production
    INNER JOIN pg_catalog.pg_class AS s ON s.oid = pair.staging
    LEFT JOIN pg_catalog.pg_tablespace AS t ON t.oid = p.reltablespace
    CROSS JOIN (
        SELECT x.spcname
        FROM pg_catalog.pg_database AS b
        INNER JOIN pg_catalog.pg_tablespace AS x ON x.oid = b.dattablespace
        WHERE b.datname = current_database()
    ) AS d
    WHERE p.reltablespace <> s.reltablespace
    UNION ALL
    SELECT format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', pair.staging::regclass,
        p.attnum, coalesce(p.attstattarget, -1))
    FROM unnest($3::oid[], $4::oid[]) AS pair (production, staging)
    INNER JOIN pg_catalog.pg_attribute AS p ON p.attrelid = pair.production
    INNER JOIN pg_catalog.pg_attribute AS s
        ON s.attrelid = pair.staging AND s.attnum = p.attnum
    WHERE coalesce(p.attstattarget, -1) <> coalesce(s.attstattarget, -1)
    UNION ALL
    SELECT format('ALTER TABLE %s CLUSTER ON %I', $2::oid::regclass, c.relname)
    FROM unnest($3::oid[], $4::oid[]) AS pair (production, staging)
    INNER JOIN pg_catalog.pg_index AS p ON p.indexrelid = pair.production AND p.indisclustered
    INNER JOIN pg_catalog.pg_index AS s ON s.indexrelid = pair.staging AND NOT s.indisclustered
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = pair.staging
    UNION ALL
    SELECT 'ALTER TABLE ' || $2::oid::regclass || ' REPLICA IDENTITY ' || CASE p.relreplident
        WHEN 'f' THEN 'FULL'
        WHEN 'n' THEN 'NOTHING'
        WHEN 'd' THEN 'DEFAULT'
        WHEN 'i' THEN (
            SELECT 'USING INDEX ' || quote_ident(c.relname)
            FROM unnest($3::oid[], $4::oid[]) AS pair (production, staging)
            INNER JOIN pg_catalog.pg_index AS i
                ON i.indexrelid = pair.production AND i.indisreplident
            INNER JOIN pg_catalog.pg_class AS c ON c.oid = pair.staging
        )
    END
    FROM pg_catalog.pg_class AS p
    INNER JOIN pg_catalog.pg_class AS s ON s.oid = $2
    WHERE p.oid = $1 AND (p.relreplident <> s.relreplident OR p.relreplident = 'i')
) AS statements
WHERE statement IS NOT NULL
