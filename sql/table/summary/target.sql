-- Purpose: which of the wanted columns a table lacks, and whether a given column alone is a key
--   of it. No row if the table is missing.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    array(
        SELECT wanted.name
        FROM unnest($3::text[]) WITH ORDINALITY AS wanted (name, position)
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = c.oid AND a.attname = wanted.name
                AND a.attnum > 0 AND NOT a.attisdropped
        )
        ORDER BY wanted.position
    ),
    EXISTS (
        SELECT FROM pg_catalog.pg_index AS i
        INNER JOIN pg_catalog.pg_attribute AS a
            ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
            AND i.indnkeyatts = 1 AND i.indpred IS NULL AND a.attname = $4
    )
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')
