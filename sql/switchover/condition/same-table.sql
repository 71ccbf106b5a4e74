-- Purpose: fails if the table with that name ($1, $2) is not the one that everything was
--   prepared for ($3).
-- Lock: those of the exchange keep the answer true. Transaction: yes.
-- Undone by: nothing, it only reads.
SELECT sterna.refuse('SN010', 'another table has that name', NULL)
WHERE $3 IS DISTINCT FROM (
    SELECT c.oid
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2
)
