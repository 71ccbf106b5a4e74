-- Purpose: the newest year of a species. Without good statistics the planner walks
--   down the index on years, in vain for long where a species is rare.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it reads.
-- name: species-latest-year
-- meaning: newest year with trade of a species
-- budget_ms: 50
-- parameters: species_id
SELECT max(year) AS latest_year
FROM {trade}
WHERE species_id = $1
