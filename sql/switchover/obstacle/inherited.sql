-- Purpose: what a partition ($1) has from the partitioned table: kind and name as in the
--   fingerprint, and the statement that gives the old table ($2) the same, whose indexes have
--   this suffix ($3); NULL if it takes more than that.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT 'index', o.identity, CASE
    WHEN NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = x.indexrelid)
        AND octet_length(c.relname::text || $3) <= 63
    THEN format('CREATE %sINDEX %I ON %s %s', CASE WHEN x.indisunique THEN 'UNIQUE ' END,
        c.relname::text || $3, $2::oid::regclass,
        regexp_replace(pg_catalog.pg_get_indexdef(c.oid), '^.*? USING ', 'USING '))
END
FROM pg_catalog.pg_index AS x
INNER JOIN pg_catalog.pg_class AS c ON c.oid = x.indexrelid
CROSS JOIN LATERAL pg_catalog.pg_identify_object('pg_catalog.pg_class'::regclass, c.oid, 0) AS o
WHERE x.indrelid = $1 AND c.relispartition
UNION ALL
SELECT 'constraint', o.identity, CASE
    WHEN octet_length(n.name) <= 63 THEN format('ALTER TABLE %s ADD CONSTRAINT %I %s',
        $2::oid::regclass, n.name, pg_catalog.pg_get_constraintdef(c.oid))
END
FROM pg_catalog.pg_constraint AS c
CROSS JOIN LATERAL (
    -- The name of a key is that of its index.
    SELECT c.conname::text || CASE WHEN c.conindid <> 0 THEN $3 ELSE '' END
) AS n (name)
CROSS JOIN LATERAL
    pg_catalog.pg_identify_object('pg_catalog.pg_constraint'::regclass, c.oid, 0) AS o
WHERE c.conrelid = $1 AND c.contype <> 'f' AND c.coninhcount > 0
UNION ALL
SELECT 'column', format('%s.%I', o.identity, a.attname), CASE
    WHEN a.attidentity = '' AND a.attgenerated = '' THEN format('ALTER TABLE %s ADD %I %s%s%s',
        $2::oid::regclass, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
        ' DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid),
        -- Since PostgreSQL 18, that is a constraint of its own.
        CASE WHEN a.attnotnull AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_constraint AS k
            WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND k.conkey[1] = a.attnum
        ) THEN ' NOT NULL' END)
END
FROM pg_catalog.pg_attribute AS a
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
CROSS JOIN LATERAL
    pg_catalog.pg_identify_object('pg_catalog.pg_class'::regclass, a.attrelid, 0) AS o
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attinhcount > 0
