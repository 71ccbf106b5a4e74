-- Name: quantities
-- Purpose: quantities per species, year, term and unit, from the view that exports read.
-- Needs: {schema}.trade_quantity_by_year
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, read only, as the application.
-- Undone by: nothing, it only reads.
SELECT * FROM {schema}.trade_quantity_by_year ORDER BY year DESC LIMIT 50
