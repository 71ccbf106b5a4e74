-- Purpose: the requested years of which staging has no row.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
SELECT missing.year::integer
FROM (
    SELECT asked.year FROM unnest($1::integer[]) AS asked (year)
    EXCEPT
    SELECT DISTINCT t.year FROM {staging} AS t WHERE t.year = ANY ($1::integer[])
) AS missing
ORDER BY missing.year
