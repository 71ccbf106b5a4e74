-- Name: species-year-shrunk
-- Purpose: no species has lost more rows than the limit allows, neither in a year nor in
--   total. A single row is not a loss: a release corrects some.
-- Fault: case of a species that has lost more rows than the limit allows
-- Severity: error
-- Applies to: staging
-- Parameters: {changes}, {max_shrinkage}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT species, species_id, year, production AS expected, checked AS observed
FROM jsonb_to_recordset({changes}) AS c (
    species text, species_id uuid, year integer, production bigint, checked bigint
)
WHERE checked > 0 AND production - checked > greatest(production * {max_shrinkage}, 1)
ORDER BY production - checked DESC, species, year
