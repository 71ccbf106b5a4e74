-- Purpose: whether there is a ledger. Lock: none. Transaction: either.
-- Undone by: nothing, it reads.
SELECT pg_catalog.to_regclass('sterna.load_batch') IS NOT NULL
