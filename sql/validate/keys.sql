-- Purpose: the keys of a table: its unique keys, its foreign keys, and those that refer to it;
--   columns by name, in key order.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    CASE WHEN c.contype = 'f' AND c.conrelid = $1 THEN 'foreign'
        WHEN c.contype = 'f' THEN 'referring' ELSE 'unique' END AS kind,
    c.conname::text,
    here.columns,
    n.nspname::text,
    o.relname::text,
    there.columns
FROM (
    SELECT f.oid, f.conname, f.contype, f.conrelid, f.confrelid, f.conkey, f.confkey
    FROM pg_catalog.pg_constraint AS f
    WHERE f.contype = 'f' AND $1 IN (f.conrelid, f.confrelid)
        -- A partition's key may have a parent, which the partitioned table has.
        AND (
            f.conparentid = 0
            OR f.confrelid = $1 AND EXISTS (
                -- A key to the table that it is a partition of.
                SELECT FROM pg_catalog.pg_constraint AS p
                WHERE p.oid = f.conparentid AND p.confrelid <> $1
            )
            OR f.conrelid = $1 AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_constraint AS p
                WHERE p.oid = f.conparentid AND p.conrelid = f.conrelid
            )
        )
    UNION ALL
    SELECT i.indexrelid, ic.relname, 'u', i.indrelid, 0, (i.indkey::int2[])[0:i.indnkeyatts - 1], '{}'
    FROM pg_catalog.pg_index AS i
    INNER JOIN pg_catalog.pg_class AS ic ON ic.oid = i.indexrelid
    WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid
        AND i.indpred IS NULL AND i.indexprs IS NULL
) AS c
-- The side of the key that is in this table, and the other one.
CROSS JOIN LATERAL (
    SELECT
        c.contype = 'f' AND c.conrelid <> $1 AS is_referring,
        CASE WHEN c.conrelid = $1 THEN c.confrelid ELSE c.conrelid END AS other
) AS side
CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY k.position) AS columns
    FROM unnest(CASE WHEN side.is_referring THEN c.confkey ELSE c.conkey END)
        WITH ORDINALITY AS k (attnum, position)
    INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = $1 AND a.attnum = k.attnum
) AS here
CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY k.position) AS columns
    FROM unnest(CASE WHEN side.is_referring THEN c.conkey ELSE c.confkey END)
        WITH ORDINALITY AS k (attnum, position)
    INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = side.other AND a.attnum = k.attnum
) AS there
LEFT JOIN pg_catalog.pg_class AS o ON o.oid = side.other
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = o.relnamespace
-- The keys of a staging table do not apply to production's rows.
WHERE side.other NOT IN (SELECT relid FROM sterna.staging)
ORDER BY kind, c.conname
