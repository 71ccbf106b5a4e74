-- Purpose: the species whose records were written to since a table went live: their
--   summary is of the moment in which it was made. Where a record was given to another
--   species, the one that it had is not known, and none can be held to its summary.
-- Lock: none. Transaction: yes, on a shared snapshot. Undone by: nothing, it reads.
SELECT w.species_id FROM sterna.written_rows(NULL::{checked}) AS w
UNION
SELECT w.species_id FROM sterna.deleted_rows(NULL::{checked}) AS w
UNION
SELECT t.species_id FROM {checked} AS t WHERE sterna.was_changed({checked_oid}, 'species_id')
