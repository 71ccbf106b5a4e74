-- Name: summary-quantity
-- Purpose: the summary of each species has the total of its quantities.
--   Species whose trade was written to since the switchover are left out: their
--   summary is of the moment in which it was made.
-- Severity: error
-- Applies to: live
-- Columns: species_id, quantity
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
    SELECT species_id, sum(quantity) AS total FROM {checked} GROUP BY species_id
)
SELECT
    species_id,
    coalesce(t.total, 0) AS expected,
    s.overall_total_quantity AS observed
FROM trade AS t
FULL JOIN {summary} AS s USING (species_id)
WHERE coalesce(s.overall_total_quantity, 0) <> coalesce(t.total, 0)
    AND species_id NOT IN (SELECT species_id FROM written)
