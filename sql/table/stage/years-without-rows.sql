-- Purpose: the requested years of which staging has no row.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
SELECT asked.year
FROM unnest($1::integer[]) AS asked (year)
WHERE NOT EXISTS (SELECT FROM {staging} AS t WHERE t.year = asked.year)
ORDER BY asked.year
