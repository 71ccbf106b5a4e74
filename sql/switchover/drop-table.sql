-- Purpose: drops an old table, and nothing that depends on it.
-- Lock: ACCESS EXCLUSIVE on it, and on the tables that it refers to. Transaction: yes.
-- Undone by: a backup.
DROP TABLE {table} RESTRICT
