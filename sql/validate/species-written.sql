-- Purpose: the species whose records were written to since a table went live: their summary
--   dates from before these writes. If a record was given to another species, its former
--   species is unknown, and none can be compared with its summary.
-- Lock: none. Transaction: yes, on a shared snapshot. Undone by: nothing, it only reads.
SELECT w.species_id FROM sterna.written_rows(NULL::{checked}) AS w
UNION
SELECT w.species_id FROM sterna.deleted_rows(NULL::{checked}) AS w
UNION
SELECT t.species_id FROM {checked} AS t WHERE sterna.was_changed({checked_oid}, 'species_id')
