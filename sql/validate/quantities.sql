-- Purpose: the total quantity of each unit in both tables, with their numbers of rows, for the report
--   and the checks quantity-lost and quantity-grown. Infinite values are reported by quantity-positive.
-- Lock: ACCESS SHARE on both. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
WITH before AS (
    SELECT coalesce(unit, '') AS unit, sum({column}::numeric) AS total, count(*) AS row_count
    FROM {table}
    WHERE {column}::numeric < 'Infinity' AND ({all_years} OR year = ANY ({years}))
    GROUP BY 1
), after AS (
    SELECT coalesce(unit, '') AS unit, sum({column}::numeric) AS total, count(*) AS row_count
    FROM {checked}
    WHERE {column}::numeric < 'Infinity' AND ({all_years} OR year = ANY ({years}))
    GROUP BY 1
)
SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(q)), '[]')
FROM (
    SELECT
        unit,
        coalesce(b.row_count, 0) AS row_count,
        coalesce(a.row_count, 0) AS checked_row_count,
        coalesce(b.total, 0) AS production,
        coalesce(a.total, 0) AS checked
    FROM before AS b
    FULL JOIN after AS a USING (unit)
) AS q
