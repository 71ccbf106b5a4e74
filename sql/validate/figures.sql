-- Purpose: the row of a check that compares two figures. If it has a third column, `passed`,
--   that decides; otherwise they must be equal.
-- Lock: those of the check. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT
    pg_catalog.row_to_json(f),
    coalesce(
        (pg_catalog.row_to_json(f) ->> 'passed')::boolean,
        f.expected IS NOT DISTINCT FROM f.observed
    )
FROM (
{query}
) AS f
