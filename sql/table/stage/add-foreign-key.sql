-- Purpose: adds one of production's foreign keys to staging, under its own name, to refuse rows
--   as they are written. Existing rows are not checked, so the referenced table is locked only
--   briefly.
-- Lock: SHARE ROW EXCLUSIVE on staging and the referenced table, briefly. Transaction: no.
-- Undone by: table/stage/drop-foreign-key.sql.
ALTER TABLE {staging} ADD CONSTRAINT {constraint} {definition} NOT VALID
