-- Purpose: the year that the application opens with, found by one descent of the index.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
-- name: latest-year
-- meaning: newest year with any trade
-- budget_ms: 10
SELECT max(year) AS latest_year
FROM {trade}
