-- Purpose: removes the copy, and nothing that depends on it.
-- Lock: ACCESS EXCLUSIVE on the copy. Transaction: yes. Undone by: table/backup/create.sql.
DROP TABLE {backup} RESTRICT
