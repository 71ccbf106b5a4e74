-- Purpose: turns an existing unique index into the primary key.
-- Lock: ACCESS EXCLUSIVE on staging, briefly. Transaction: no.
-- Undone by: ALTER TABLE ... DROP CONSTRAINT.
ALTER TABLE {staging} ADD CONSTRAINT {index} PRIMARY KEY USING INDEX {index} {deferrable}
