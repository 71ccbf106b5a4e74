-- Purpose: what identifies the rows of a table, and what refers to them: its primary key, its
--   unique indexes, and the columns that foreign keys refer to, with the referring table.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT
    CASE WHEN i.indisprimary THEN 'primary' ELSE 'unique' END AS kind,
    columns.names,
    NULL::text
FROM pg_catalog.pg_index AS i
INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY k.position) AS names
    FROM unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k (attnum, position)
    INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
) AS columns
WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid
    AND i.indpred IS NULL AND i.indexprs IS NULL
UNION ALL
SELECT 'referred', ARRAY[a.attname::text], c.conrelid::regclass::text
FROM pg_catalog.pg_constraint AS c
INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = $1 AND a.attnum = ANY (c.confkey)
WHERE c.confrelid = $1 AND c.contype = 'f'
    AND (c.conparentid = 0 OR EXISTS (
            -- A key to the table that it is a partition of.
            SELECT FROM pg_catalog.pg_constraint AS p
            WHERE p.oid = c.conparentid AND p.confrelid <> $1
        ))
ORDER BY kind, 2, 3
