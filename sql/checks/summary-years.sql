-- Name: summary-years
-- Purpose: the summary of each species has every year with the number of its rows.
-- Severity: error
-- Applies to: live
-- Columns: species_id, year
-- Parameters: {summary}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it reads.
WITH trade AS (
    SELECT species_id, year, count(*) AS row_count FROM {checked} GROUP BY species_id, year
), summary AS (
    SELECT s.species_id, y.year, y.total_records_for_year AS row_count
    FROM {summary} AS s
    CROSS JOIN LATERAL jsonb_to_recordset(coalesce(s.annual_summaries, '[]')) AS y (
        year integer, total_records_for_year bigint
    )
)
SELECT species_id, year, t.row_count AS expected, s.row_count AS observed
FROM trade AS t
FULL JOIN summary AS s USING (species_id, year)
WHERE t.row_count IS DISTINCT FROM s.row_count
