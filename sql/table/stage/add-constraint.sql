-- Purpose: adds an exclusion constraint, with its index.
-- Lock: ACCESS EXCLUSIVE on staging while it is built. Transaction: no.
-- Undone by: ALTER TABLE ... DROP CONSTRAINT.
ALTER TABLE {staging} ADD CONSTRAINT {index} {definition}
