-- Purpose: gives an identity sequence another name in its schema.
-- Lock: ACCESS EXCLUSIVE on it. Transaction: yes. Undone by: the opposite renaming.
ALTER SEQUENCE {from} RENAME TO {to}
