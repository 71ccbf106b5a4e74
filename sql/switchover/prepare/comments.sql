-- Purpose: statements that give staging the comments on production, its columns, constraints
--   and indexes. Indexes are paired by the arrays, and so are the constraints based on them;
--   other constraints have the same name.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT 'COMMENT ON TABLE ' || $2::oid::regclass || ' IS ' || quote_literal(d.description)
FROM pg_catalog.pg_description AS d
WHERE d.objoid = $1 AND d.classoid = 'pg_catalog.pg_class'::regclass AND d.objsubid = 0
UNION ALL
-- A row type has the name of its table.
SELECT 'COMMENT ON TYPE ' || $2::oid::regclass || ' IS ' || quote_literal(d.description)
FROM pg_catalog.pg_description AS d
INNER JOIN pg_catalog.pg_type AS t ON t.oid = d.objoid AND t.typrelid = $1
WHERE d.classoid = 'pg_catalog.pg_type'::regclass
UNION ALL
SELECT format('COMMENT ON COLUMN %s.%I IS %L', $2::oid::regclass, a.attname, d.description)
FROM pg_catalog.pg_description AS d
INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.objoid AND a.attnum = d.objsubid
WHERE d.objoid = $1 AND d.classoid = 'pg_catalog.pg_class'::regclass AND d.objsubid > 0
UNION ALL
SELECT format('COMMENT ON INDEX %s IS %L', pair.staging::regclass, d.description)
FROM unnest($3::oid[], $4::oid[]) AS pair (production, staging)
INNER JOIN pg_catalog.pg_description AS d
    ON d.objoid = pair.production AND d.classoid = 'pg_catalog.pg_class'::regclass
UNION ALL
SELECT format('COMMENT ON CONSTRAINT %I ON %s IS %L', coalesce(s.conname, c.conname),
    $2::oid::regclass, d.description)
FROM pg_catalog.pg_constraint AS c
INNER JOIN pg_catalog.pg_description AS d
    ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_constraint'::regclass
LEFT JOIN unnest($3::oid[], $4::oid[]) AS pair (production, staging)
    ON pair.production = c.conindid AND c.contype IN ('p', 'u', 'x')
LEFT JOIN pg_catalog.pg_constraint AS s
    ON s.conindid = pair.staging AND s.conrelid = $2 AND s.contype IN ('p', 'u', 'x')
-- Foreign keys are added in the exchange, with their comments.
WHERE c.conrelid = $1 AND c.contype <> 'f'
UNION ALL
SELECT format('COMMENT ON SEQUENCE %s IS %L', pair.staging::regclass, d.description)
FROM unnest($5::oid[], $6::oid[]) AS pair (production, staging)
INNER JOIN pg_catalog.pg_description AS d
    ON d.objoid = pair.production AND d.classoid = 'pg_catalog.pg_class'::regclass
