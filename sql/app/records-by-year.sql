-- Name: records-by-year
-- Purpose: records per year, from the function behind the charts.
-- Needs: {schema}.trade_records_by_year()
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, read only, as the application.
-- Undone by: nothing, it only reads.
SELECT year, records FROM {schema}.trade_records_by_year()
