-- Purpose: the names in rows that differ, letter for letter, from the name of their species.
-- Lock: ACCESS SHARE. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT DISTINCT t.{reference}, t.{taxon}::text
FROM {checked} AS t
INNER JOIN {species} AS s ON s.{species_key} = t.{reference}
WHERE t.{taxon} <> s.{species_name}
