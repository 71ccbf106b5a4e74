-- Purpose: removes the copy, and nothing that depends on it.
-- Lock: ACCESS EXCLUSIVE on the copy. Transaction: yes. Undone by: backup-table/create.sql.
DROP TABLE {backup} RESTRICT
