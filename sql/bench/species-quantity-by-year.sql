-- Purpose: the quantities on the page of a species, if a record has one quantity.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
-- name: species-quantity-by-year
-- meaning: quantities of a species by year, term and unit
-- budget_ms: 400
-- parameters: species_id
SELECT year, term, unit, sum(quantity) AS quantity
FROM {trade}
WHERE species_id = $1
GROUP BY year, term, unit
ORDER BY year, term, unit
