-- Name: year-present
-- Purpose: every requested year has a row.
-- Severity: error
-- Columns: year
-- Applies to: staging
-- Parameters: {years}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT asked.year, 0 AS observed
FROM unnest({years}) AS asked (year)
WHERE NOT EXISTS (SELECT FROM {checked} AS t WHERE t.year = asked.year)
ORDER BY asked.year
