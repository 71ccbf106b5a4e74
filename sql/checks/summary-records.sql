-- Name: summary-records
-- Purpose: the summary of each species has the number of its rows and its first and
--   last year.
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
    SELECT species_id, count(*) AS row_count, min(year) AS first_year, max(year) AS last_year
    FROM {checked}
    GROUP BY species_id
)
SELECT
    species_id,
    coalesce(t.row_count, 0) AS expected,
    s.total_trade_records AS observed,
    t.first_year, s.overall_min_year, t.last_year, s.overall_max_year
FROM trade AS t
FULL JOIN {summary} AS s USING (species_id)
WHERE (coalesce(s.total_trade_records, 0) <> coalesce(t.row_count, 0)
    OR t.first_year IS DISTINCT FROM s.overall_min_year
    OR t.last_year IS DISTINCT FROM s.overall_max_year)
    AND species_id NOT IN (SELECT species_id FROM written)
