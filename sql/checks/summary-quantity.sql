-- Name: summary-quantity
-- Purpose: the summary of each species has the total of its quantities.
-- Fault: summary with a wrong total of quantities
-- Severity: error
-- Applies to: live
-- Columns: species_id
-- Parameters: {summary}, {species_written}, {quantity}, {other_quantity}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT
    species_id,
    coalesce(t.total, 0) AS expected,
    s.overall_total_quantity AS observed
FROM (
    SELECT species_id, sum(coalesce({quantity}, {other_quantity})) AS total
    FROM {checked}
    GROUP BY species_id
) AS t
FULL JOIN {summary} AS s USING (species_id)
WHERE coalesce(s.overall_total_quantity, 0) <> coalesce(t.total, 0)
    AND species_id <> ALL ({species_written})
