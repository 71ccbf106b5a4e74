-- Purpose: the list of species of a year: a join whose plan needs statistics.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
-- name: species-of-year
-- meaning: species with records in a year
-- budget_ms: 200
-- parameters: year
SELECT s.id, s.scientific_name, s.common_name, count(*) AS records
FROM {species} AS s
INNER JOIN {trade} AS t ON t.species_id = s.id
WHERE t.year = $1
GROUP BY s.id
ORDER BY records DESC, s.scientific_name
