-- Name: taxon-of-species
-- Purpose: a row bears the name of the species that it belongs to, in another
--   spelling at most, or a synonym that the load was given.
-- Severity: error
-- Form: condition
-- Columns: taxon, species_id
-- Parameters: {species}, {accepted_species}, {accepted_taxa}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it reads.
((species_id, taxon) IN (
    SELECT s.id, s.scientific_name FROM {species} AS s
    UNION ALL
    SELECT * FROM unnest({accepted_species}, {accepted_taxa})
)) IS NOT TRUE
