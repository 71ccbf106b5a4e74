-- Purpose: the species whose records were written to since a table went live: their
--   summary is of the moment in which it was made.
-- Lock: none. Transaction: yes, on a shared snapshot. Undone by: nothing, it reads.
SELECT DISTINCT w.species_id
FROM sterna.journal AS j
CROSS JOIN LATERAL (
    VALUES ((j.old_row::{checked}).species_id), ((j.new_row::{checked}).species_id)
) AS w (species_id)
WHERE j.relid = {checked_oid} AND w.species_id IS NOT NULL
