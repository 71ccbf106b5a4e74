-- Name: few-rows-in-year
-- Purpose: no year has less than a fifth of the rows of the year before it: the latest year
--   is often not fully reported yet.
-- Fault: year with less than a fifth of the rows of the year before
-- Severity: warning
-- Columns: year
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT year, before AS rows_of_year_before, row_count AS observed
FROM (
    SELECT
        year,
        count(*) AS row_count,
        lag(count(*)) OVER (ORDER BY year) AS before,
        lag(year) OVER (ORDER BY year) AS last_year
    FROM {checked}
    GROUP BY year
) AS years
WHERE last_year = year - 1 AND before >= 100 AND row_count * 5 < before
