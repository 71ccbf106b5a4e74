-- Purpose: indexes of the live table that queries cannot use.
-- Lock: none, it reads the catalog. Transaction: either. Undone by: nothing, it reads.
SELECT indexrelid::regclass::text
FROM pg_catalog.pg_index
WHERE indrelid = $1 AND NOT (indisvalid AND indisready AND indislive)
ORDER BY 1
