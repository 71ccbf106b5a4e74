-- Purpose: renames an identity sequence within its schema.
-- Lock: ACCESS EXCLUSIVE on it. Transaction: yes. Undone by: the reverse renaming.
ALTER SEQUENCE {from} RENAME TO {to}
