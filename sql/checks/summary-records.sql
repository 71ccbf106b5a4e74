-- Name: summary-records
-- Purpose: the summary of each species has its number of rows and its first and last year.
-- Fault: summary with a wrong number of rows or a wrong year
-- Severity: error
-- Applies to: live
-- Columns: species_id, year
-- Parameters: {summary}, {species_written}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT
    species_id,
    coalesce(t.row_count, 0) AS expected,
    s.total_trade_records AS observed,
    t.first_year, s.overall_min_year, t.last_year, s.overall_max_year
FROM (
    SELECT species_id, count(*) AS row_count, min(year) AS first_year, max(year) AS last_year
    FROM {checked}
    GROUP BY species_id
) AS t
FULL JOIN {summary} AS s USING (species_id)
WHERE (coalesce(s.total_trade_records, 0) <> coalesce(t.row_count, 0)
    OR t.first_year IS DISTINCT FROM s.overall_min_year
    OR t.last_year IS DISTINCT FROM s.overall_max_year)
    AND species_id <> ALL ({species_written})
