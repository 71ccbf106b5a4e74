-- Purpose: gives a table another name in its schema.
-- Lock: ACCESS EXCLUSIVE on it. Transaction: yes. Undone by: the opposite renaming.
ALTER TABLE {from} RENAME TO {to}
