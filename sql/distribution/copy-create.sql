-- Purpose: creates an empty table with the columns of a distributed table, to be its copy.
-- Lock: ACCESS SHARE on the table. Transaction: yes, with copy-fill.sql.
-- Undone by: distribution/copy-drop.sql.
CREATE TABLE {copy} (LIKE {table})
