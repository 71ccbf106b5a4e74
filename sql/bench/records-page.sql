-- Purpose: the records of a species, page by page. For a species with many records, the
--   primary key yields a page at once; without statistics, all its records are sorted.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
-- name: records-page
-- meaning: the 50 records of a species after a given one
-- budget_ms: 100
-- parameters: species_id, id
SELECT id, year, taxon, term, unit, importer, exporter, purpose, source
FROM {trade}
WHERE species_id = $1 AND id > $2
ORDER BY id
LIMIT 50
