-- Purpose: whether a copy ($2) has the columns of a table ($1), with their types.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT coalesce(columns.of_table = columns.of_copy, false)
FROM (
    SELECT
        array_agg(columns.text ORDER BY columns.text) FILTER (WHERE columns.attrelid = $1) AS of_table,
        array_agg(columns.text ORDER BY columns.text) FILTER (WHERE columns.attrelid = $2) AS of_copy
    FROM (
        SELECT a.attrelid, concat_ws(' ', a.attname, a.atttypid, a.atttypmod, a.attcollation) AS text
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid IN ($1, $2) AND a.attnum > 0 AND NOT a.attisdropped
    ) AS columns
) AS columns
