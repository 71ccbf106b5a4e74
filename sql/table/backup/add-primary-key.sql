-- Purpose: gives the copy the live table's primary key.
-- Lock: ACCESS EXCLUSIVE on the copy, which nobody can see yet.
-- Transaction: yes, that of table/backup/create.sql. Undone by: table/backup/drop.sql.
ALTER TABLE {backup} ADD CONSTRAINT {name} {definition}
