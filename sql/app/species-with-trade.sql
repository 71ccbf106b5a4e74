-- Name: species-with-trade
-- Purpose: a species with its records, as the API joins them.
-- Needs: {table}, {schema}.species
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, read only, as the application.
-- Undone by: nothing, it only reads.
SELECT s.scientific_name, t.year, t.term, t.importer, t.exporter
FROM {schema}.species AS s
INNER JOIN {table} AS t ON t.species_id = s.id
ORDER BY t.year DESC
LIMIT 20
