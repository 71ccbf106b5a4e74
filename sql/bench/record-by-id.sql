-- Purpose: the record that a bookmark or another table points to.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
-- name: record-by-id
-- meaning: one record by its id
-- budget_ms: 10
-- parameters: id
SELECT *
FROM {trade}
WHERE id = $1
