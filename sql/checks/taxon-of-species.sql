-- Name: taxon-of-species
-- Purpose: a row bears the name of the species that it belongs to, in another
--   spelling at most, or a synonym that the load was given. Of a species that is not there
--   the foreign key tells.
-- Severity: error
-- Form: condition
-- Parameters: {species}, {taxon}, {reference}, {accepted_species}, {accepted_taxa}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it reads.
{reference} IN (SELECT s.{species_key} FROM {species} AS s)
AND (({reference}, {taxon}) IN (
    SELECT s.{species_key}, s.{species_name} FROM {species} AS s
    UNION ALL
    SELECT * FROM unnest({accepted_species}, {accepted_taxa})
)) IS NOT TRUE
