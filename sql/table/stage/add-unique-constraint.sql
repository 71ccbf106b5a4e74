-- Purpose: turns an existing unique index into a constraint.
-- Lock: ACCESS EXCLUSIVE on staging, briefly. Transaction: no.
-- Undone by: ALTER TABLE ... DROP CONSTRAINT.
ALTER TABLE {staging} ADD CONSTRAINT {index} UNIQUE USING INDEX {index} {deferrable}
