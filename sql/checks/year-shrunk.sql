-- Name: year-shrunk
-- Purpose: no year has lost more rows than the limit allows, nor all of them. A single
--   row is no loss: a release corrects some.
-- Severity: error
-- Columns: year
-- Applies to: staging
-- Parameters: {all_years}, {years}, {max_shrinkage}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it reads.
SELECT year, p.row_count AS expected, coalesce(c.row_count, 0) AS observed
FROM (
    SELECT year, count(*) AS row_count
    FROM {table}
    WHERE {all_years} OR year = ANY ({years})
    GROUP BY year
) AS p
LEFT JOIN (SELECT year, count(*) AS row_count FROM {checked} GROUP BY year) AS c USING (year)
WHERE c.row_count IS NULL
    OR p.row_count - c.row_count > greatest(p.row_count * {max_shrinkage}, 1)
ORDER BY year
