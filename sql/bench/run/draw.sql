-- Purpose: values of some columns, as they stand together in some row, that both
--   tables hold. Each combination is as likely as any other, however many rows have
--   it; the seed and the values alone decide which are drawn, not where rows lie.
-- Lock: ACCESS SHARE on both. Transaction: either. Undone by: nothing, it reads.
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
