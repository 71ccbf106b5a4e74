-- Purpose: which of the years from $1 to $2 the bounds of a partition admit, and NULL if they admit
--   rows without a year.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT {column}::integer
FROM (
    SELECT y::{type} AS {column} FROM pg_catalog.generate_series($1::integer, $2::integer) AS y
    UNION ALL
    SELECT NULL::{type}
) AS candidate
WHERE {condition}
ORDER BY 1
