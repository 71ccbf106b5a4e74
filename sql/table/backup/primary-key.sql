-- Purpose: name and definition of the live table's primary key.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT conname::text, pg_catalog.pg_get_constraintdef(oid)
FROM pg_catalog.pg_constraint
WHERE conrelid = $1 AND contype = 'p'
