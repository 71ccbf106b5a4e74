-- Name: summary-years
-- Purpose: the summary of each species has every year with the number of its rows.
--   Species whose trade was written to since the switchover are left out: their
--   summary is of the moment in which it was made.
-- Severity: error
-- Applies to: live
-- Columns: species_id, year
-- Parameters: {summary}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it reads.
WITH written AS (
    SELECT DISTINCT w.species_id
    FROM sterna.journal AS j
    CROSS JOIN LATERAL (
        VALUES ((j.old_row::{checked}).species_id), ((j.new_row::{checked}).species_id)
    ) AS w (species_id)
    WHERE j.relid = (SELECT tableoid FROM {checked} LIMIT 1) AND w.species_id IS NOT NULL
), trade AS (
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
    AND species_id NOT IN (SELECT species_id FROM written)
