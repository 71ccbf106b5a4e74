-- Purpose: which of the roles $1 do not exist on this server.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT wanted.name
FROM unnest($1::text[]) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname = wanted.name)
ORDER BY 1
