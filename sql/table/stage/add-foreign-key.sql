-- Purpose: one of production's foreign keys, under its own name, which refuses rows as they
--   come in; those that are there are not checked, so the referred table is locked for a
--   moment only.
-- Lock: SHARE ROW EXCLUSIVE on staging and the referred table, briefly.
-- Transaction: no. Undone by: table/stage/drop-foreign-key.sql.
ALTER TABLE {staging} ADD CONSTRAINT {constraint} {definition} NOT VALID
