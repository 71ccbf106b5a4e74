-- Purpose: the columns of a table with type, nullability and default, in order.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    a.attname::text,
    CASE WHEN tn.nspname = 'pg_catalog' THEN t.typname::text
         ELSE tn.nspname || '.' || t.typname END,
    a.atttypmod,
    pg_catalog.format_type(a.atttypid, a.atttypmod),
    a.attnotnull,
    pg_catalog.pg_get_expr(d.adbin, d.adrelid),
    a.attgenerated <> '' OR a.attidentity = 'a',
    a.attidentity <> ''
FROM pg_catalog.pg_attribute AS a
INNER JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
INNER JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
