-- Purpose: records that an added species is gone.
-- Lock: none. Transaction: yes, that of species/delete.sql. Undone by: nothing.
UPDATE sterna.species_added SET undone_at = clock_timestamp() WHERE run_id = $1
