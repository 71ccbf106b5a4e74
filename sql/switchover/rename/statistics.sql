-- Purpose: renames extended statistics within their schema.
-- Lock: ACCESS EXCLUSIVE on it. Transaction: yes. Undone by: the reverse renaming.
ALTER STATISTICS {from} RENAME TO {to}
