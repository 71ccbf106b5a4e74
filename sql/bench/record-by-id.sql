-- Purpose: what a bookmark or another table points at.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it reads.
-- name: record-by-id
-- meaning: one record by its id
-- budget_ms: 10
-- parameters: id
SELECT *
FROM {trade}
WHERE id = $1
