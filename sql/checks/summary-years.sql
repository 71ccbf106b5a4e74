-- Name: summary-years
-- Purpose: the summary of each species has every year once, with its number of rows and the
--   total of their quantities.
-- Fault: difference in a year of a summary
-- Severity: error
-- Applies to: live
-- Columns: species_id, year
-- Parameters: {summary}, {species_written}, {quantity}, {other_quantity}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT
    species_id, year,
    t.row_count AS expected,
    s.total_records_for_year AS observed,
    t.total AS expected_quantity,
    s.total_quantity_for_year AS observed_quantity
FROM (
    SELECT
        species_id, year, count(*) AS row_count,
        coalesce(sum(coalesce({quantity}, {other_quantity})), 0) AS total
    FROM {checked}
    GROUP BY species_id, year
) AS t
FULL JOIN (
    SELECT
        s.species_id, y.year, y.total_records_for_year, y.total_quantity_for_year,
        count(*) OVER (PARTITION BY s.species_id, y.year) AS times
    FROM {summary} AS s
    CROSS JOIN LATERAL jsonb_to_recordset(coalesce(s.annual_summaries::jsonb, '[]')) AS y (
        year integer, total_records_for_year bigint, total_quantity_for_year numeric
    )
) AS s USING (species_id, year)
WHERE (s.times, s.total_records_for_year, s.total_quantity_for_year)
    IS DISTINCT FROM (1, t.row_count, t.total)
    AND species_id <> ALL ({species_written})
