-- Purpose: indexes of the live table that queries cannot use.
-- Lock: none, it only reads the catalog. Transaction: either.
-- Undone by: nothing, it only reads.
SELECT indexrelid::regclass::text
FROM pg_catalog.pg_index
WHERE indrelid = $1 AND NOT (indisvalid AND indisready AND indislive)
ORDER BY 1
