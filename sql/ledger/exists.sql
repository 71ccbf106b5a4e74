-- Purpose: which tables of the ledger exist.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT pg_catalog.to_regclass(name) IS NOT NULL
FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, position)
ORDER BY position
