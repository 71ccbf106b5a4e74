-- Purpose: the names that rows bear and that are not their species' own, letter by
--   letter. Lock: ACCESS SHARE. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it reads.
SELECT DISTINCT t.species_id, t.taxon::text
FROM {checked} AS t
INNER JOIN {species} AS s ON s.id = t.species_id
WHERE t.taxon <> s.scientific_name
