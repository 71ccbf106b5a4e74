-- Purpose: the overview; it reads the whole table, so the width of rows decides.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it reads.
-- name: yearly-trend
-- meaning: records and terms by year over all species
-- budget_ms: 2000
SELECT year, term, count(*) AS records
FROM {trade}
GROUP BY year, term
ORDER BY year, term
