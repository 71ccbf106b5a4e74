-- Name: year-bounds
-- Purpose: every year lies between the first year of CITES trade data and the year of the
--   release.
-- Severity: error
-- Form: condition
-- Columns: year
-- Parameters: {first_year}, {last_year}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
year NOT BETWEEN {first_year} AND {last_year}
