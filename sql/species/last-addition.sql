-- Purpose: what was added to a species table by a run, or last where $3 is NULL:
--   its name, the species' id or, for a synonym, the name that it stands for.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
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
