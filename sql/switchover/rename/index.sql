-- Purpose: gives an index, and the constraint that lives by it, another name in its schema.
-- Lock: ACCESS EXCLUSIVE on it. Transaction: yes. Undone by: the opposite renaming.
ALTER INDEX {from} RENAME TO {to}
