-- Purpose: the row of a check that compares two figures.
-- Lock: those of the check. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it reads.
SELECT pg_catalog.row_to_json(f), f.expected IS NOT DISTINCT FROM f.observed FROM (
{query}
) AS f
