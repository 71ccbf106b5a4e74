-- Purpose: renames a table within its schema.
-- Lock: ACCESS EXCLUSIVE on it. Transaction: yes. Undone by: the reverse renaming.
ALTER TABLE {from} RENAME TO {to}
