-- Purpose: every species by id and name.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
SELECT id, scientific_name::text FROM {species} WHERE scientific_name IS NOT NULL
ORDER BY scientific_name, id
