-- Purpose: which tables of the ledger are there. Lock: none. Transaction: either.
-- Undone by: nothing, it reads.
SELECT pg_catalog.to_regclass(name) IS NOT NULL
FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, position)
ORDER BY position
