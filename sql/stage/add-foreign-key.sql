-- Purpose: one of production's foreign keys, under its own name, not yet checked:
--   so the referred table is locked for a moment only.
-- Lock: SHARE ROW EXCLUSIVE on staging and the referred table, briefly.
-- Transaction: no. Undone by: ALTER TABLE ... DROP CONSTRAINT.
ALTER TABLE {staging} ADD CONSTRAINT {constraint} {definition} NOT VALID
