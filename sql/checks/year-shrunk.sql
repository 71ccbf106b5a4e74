-- Name: year-shrunk
-- Purpose: no year has lost all its rows, or more than the limit allows. A single row is
--   not a loss: a release corrects some. Rows inserted into production in the meantime are
--   carried over by the exchange, so they are not missing.
-- Fault: year with fewer rows than the limit allows
-- Severity: error
-- Columns: year
-- Applies to: staging
-- Parameters: {all_years}, {years}, {max_shrinkage}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT year, p.row_count AS expected, coalesce(c.row_count, 0) AS observed
FROM (
    SELECT year, sum(counted)::bigint AS row_count
    FROM (
        SELECT year, 1 AS counted FROM {table}
        UNION ALL
        SELECT year, -1 FROM sterna.written_rows(NULL::{table}, 'I')
    ) AS r
    WHERE {all_years} OR year = ANY ({years})
    GROUP BY year
    HAVING sum(counted) > 0
) AS p
LEFT JOIN (SELECT year, count(*) AS row_count FROM {checked} GROUP BY year) AS c USING (year)
WHERE c.row_count IS NULL
    OR p.row_count - c.row_count > greatest(p.row_count * {max_shrinkage}, 1)
ORDER BY year
