-- Purpose: drops a foreign key from staging that was there while rows were written.
-- Lock: ACCESS EXCLUSIVE on staging and the referenced table, briefly. Transaction: no.
-- Undone by: table/stage/add-foreign-key.sql.
ALTER TABLE {staging} DROP CONSTRAINT {constraint}
