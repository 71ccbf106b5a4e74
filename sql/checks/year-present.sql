-- Name: year-present
-- Purpose: every requested year has a row.
-- Fault: requested year without a row
-- Severity: error
-- Columns: year
-- Applies to: staging
-- Parameters: {years}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT missing.year, 0 AS observed
FROM (
    SELECT asked.year FROM unnest({years}) AS asked (year)
    EXCEPT
    SELECT DISTINCT t.year FROM {checked} AS t WHERE t.year = ANY ({years})
) AS missing
ORDER BY missing.year
