-- Purpose: begins a transaction that sees one state of the database throughout.
-- Lock: none. Transaction: begins one. Undone by: COMMIT.
BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY
