-- Purpose: values of some columns that occur together in a row of both tables. Every
--   combination is equally likely, however many rows have it; which ones are drawn depends only
--   on the seed and the values, not on where rows are stored.
-- Lock: ACCESS SHARE on both. Transaction: either. Undone by: nothing, it only reads.
SELECT ARRAY(
    SELECT field.value
    FROM json_each_text(row_to_json(drawn)) WITH ORDINALITY AS field (key, value, place)
    ORDER BY field.place
)
FROM (
    SELECT *
    FROM (SELECT DISTINCT {columns} FROM {trade} WHERE ROW({columns}) IS NOT NULL) AS found
    ORDER BY hash_record_extended(found, $1)
    LIMIT $2
) AS drawn
WHERE ({columns}) IN (SELECT {columns} FROM {other})
ORDER BY hash_record_extended(drawn, $1)
LIMIT $3
