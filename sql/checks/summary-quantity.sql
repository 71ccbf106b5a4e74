-- Name: summary-quantity
-- Purpose: the summary of each species has the total of its quantities.
-- Severity: error
-- Applies to: live
-- Columns: species_id, quantity
-- Parameters: {summary}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it reads.
WITH trade AS (
    SELECT species_id, sum(quantity) AS total FROM {checked} GROUP BY species_id
)
SELECT
    species_id,
    coalesce(t.total, 0) AS expected,
    s.overall_total_quantity AS observed
FROM trade AS t
FULL JOIN {summary} AS s USING (species_id)
WHERE coalesce(s.overall_total_quantity, 0) <> coalesce(t.total, 0)
