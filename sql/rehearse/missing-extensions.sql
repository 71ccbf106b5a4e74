-- Purpose: which of the extensions $1 this server cannot create.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT wanted.name
FROM unnest($1::text[]) AS wanted (name)
WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_available_extensions AS e WHERE e.name = wanted.name
)
ORDER BY 1
