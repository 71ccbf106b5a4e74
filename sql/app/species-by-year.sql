-- Name: species-by-year
-- Purpose: records per year of one species, from the function behind its page.
-- Needs: {schema}.species_trade_by_year(uuid), {table}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, read only, as the application.
-- Undone by: nothing, it only reads.
SELECT y.year, y.records
FROM {schema}.species_trade_by_year((SELECT t.species_id FROM {table} AS t LIMIT 1)) AS y
