-- Purpose: the chart on the page of a species; its speed depends on the index on species.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
-- name: species-by-year
-- meaning: trade of a species, by year
-- budget_ms: 250
-- parameters: species_id
SELECT year, count(*) AS records
FROM {trade}
WHERE species_id = $1
GROUP BY year
ORDER BY year
