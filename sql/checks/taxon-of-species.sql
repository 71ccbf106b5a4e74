-- Name: taxon-of-species
-- Purpose: a row has the name of its species, at most in another spelling, or a synonym
--   that the load was given. A species that does not exist is reported by the check
--   foreign-key.
-- Fault: row with a name other than its species'
-- Severity: error
-- Form: condition
-- Parameters: {species}, {taxon}, {reference}, {accepted_species}, {accepted_taxa}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
-- First what is true of no right row: then the other is not looked up.
(({reference}, {taxon}) IN (
    SELECT s.{species_key}, s.{species_name} FROM {species} AS s
    UNION ALL
    SELECT * FROM unnest({accepted_species}, {accepted_taxa})
)) IS NOT TRUE
AND {reference} IN (SELECT s.{species_key} FROM {species} AS s)
