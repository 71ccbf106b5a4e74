-- Purpose: the count next to the filters of the search page.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
-- name: count-by-filter
-- meaning: records of a species, year and term
-- budget_ms: 100
-- parameters: species_id, year, term
SELECT count(*) AS records
FROM {trade}
WHERE species_id = $1 AND year = $2 AND term = $3
