-- Purpose: the overview of all trade; it reads the whole table, so the width of rows
--   decides its speed.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
-- name: yearly-trend
-- meaning: records and terms by year over all species
-- budget_ms: 2000
SELECT year, term, count(*) AS records
FROM {trade}
GROUP BY year, term
ORDER BY year, term
