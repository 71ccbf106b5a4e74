-- Name: species-year-missing
-- Purpose: every species and year of production is present.
-- Fault: pair of species and year without a row
-- Severity: error
-- Applies to: staging
-- Parameters: {changes}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT species, species_id, year, production AS expected, checked AS observed
FROM jsonb_to_recordset({changes}) AS c (
    species text, species_id uuid, year integer, production bigint, checked bigint
)
WHERE checked = 0
ORDER BY production DESC, species, year
