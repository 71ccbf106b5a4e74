-- Purpose: gives extended statistics another name in its schema.
-- Lock: ACCESS EXCLUSIVE on it. Transaction: yes. Undone by: the opposite renaming.
ALTER STATISTICS {from} RENAME TO {to}
