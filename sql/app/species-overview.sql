-- Name: species-overview
-- Purpose: the list of species with the amount of trade in each.
-- Needs: {schema}.species_trade_overview
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, read only, as the application.
-- Undone by: nothing, it only reads.
SELECT scientific_name, common_name, trade_records, first_year, last_year
FROM {schema}.species_trade_overview
WHERE trade_records > 0
ORDER BY trade_records DESC
LIMIT 50
