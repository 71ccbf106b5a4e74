-- Purpose: the primary key of a table ($1), as text. No row if it has none.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT pg_catalog.pg_get_constraintdef(c.oid)
FROM pg_catalog.pg_constraint AS c
WHERE c.conrelid = $1 AND c.contype = 'p'
