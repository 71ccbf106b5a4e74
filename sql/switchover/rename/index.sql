-- Purpose: renames an index, and the constraint based on it, within its schema.
-- Lock: ACCESS EXCLUSIVE on it. Transaction: yes. Undone by: the reverse renaming.
ALTER INDEX {from} RENAME TO {to}
