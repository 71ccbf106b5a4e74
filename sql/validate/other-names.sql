-- Purpose: the names that rows bear and that are not their species' own, letter by
--   letter. Lock: ACCESS SHARE. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it reads.
SELECT DISTINCT t.{reference}, t.{taxon}::text
FROM {checked} AS t
INNER JOIN {species} AS s ON s.{species_key} = t.{reference}
WHERE t.{taxon} <> s.{species_name}
