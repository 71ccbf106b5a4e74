-- Purpose: gives a copy the primary key of the table.
-- Lock: ACCESS EXCLUSIVE on the copy. Transaction: yes, with copy-create.sql.
-- Undone by: distribution/copy-drop.sql.
ALTER TABLE {copy} ADD {key}
