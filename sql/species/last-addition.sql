-- Purpose: what a run added to a species table, or the last addition if $3 is NULL: its name,
--   and the species' id or, for a synonym, the name it stands for.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT run_id, scientific_name, species_id, NULL::text, at
FROM sterna.species_added
WHERE schema_name = $1 AND table_name = $2 AND undone_at IS NULL
    AND ($3::uuid IS NULL OR run_id = $3)
UNION ALL
SELECT run_id, synonym, NULL, scientific_name, at
FROM sterna.synonym
WHERE schema_name = $1 AND table_name = $2 AND ($3::uuid IS NULL OR run_id = $3)
ORDER BY 5 DESC
LIMIT 1
