-- Purpose: gives the copy the live table's primary key.
-- Lock: ACCESS EXCLUSIVE on the copy, which nobody knows yet. Transaction: yes, that of
--   backup-table/create.sql. Undone by: backup-table/drop.sql.
ALTER TABLE {backup} ADD CONSTRAINT {name} {definition}
