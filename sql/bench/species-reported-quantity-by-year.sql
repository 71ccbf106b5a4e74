-- Purpose: the quantities on the page of a species, if importer and exporter each report
--   one.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
-- name: species-reported-quantity-by-year
-- meaning: reported quantities of a species by year, term and unit
-- budget_ms: 400
-- parameters: species_id
SELECT
    year,
    term,
    unit,
    sum(importer_reported_quantity) AS importer_quantity,
    sum(exporter_reported_quantity) AS exporter_quantity
FROM {trade}
WHERE species_id = $1
GROUP BY year, term, unit
ORDER BY year, term, unit
