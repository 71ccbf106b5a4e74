-- Purpose: the main importers of a species.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
-- name: top-importers
-- meaning: the ten importers with most records of a species
-- budget_ms: 250
-- parameters: species_id
SELECT importer, count(*) AS records
FROM {trade}
WHERE species_id = $1 AND importer <> ''
GROUP BY importer
ORDER BY records DESC, importer
LIMIT 10
