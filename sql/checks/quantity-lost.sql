-- Name: quantity-lost
-- Purpose: no unit's total quantity has fallen by more than the limit. Units with fewer
--   than ten rows are left out, because one correction changes their total.
-- Severity: error
-- For each: column quantity, importer_reported_quantity, exporter_reported_quantity
-- Columns: unit, year
-- Applies to: staging
-- Parameters: {column}, {all_years}, {years}, {max_quantity_change}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
WITH before AS (
    SELECT coalesce(unit, '') AS unit, sum({column}) AS total, count(*) AS row_count
    FROM {table}
    WHERE {column} < 'Infinity' AND ({all_years} OR year = ANY ({years}))
    GROUP BY 1
), after AS (
    SELECT coalesce(unit, '') AS unit, sum({column}) AS total
    FROM {checked}
    WHERE {column} < 'Infinity' AND ({all_years} OR year = ANY ({years}))
    GROUP BY 1
)
SELECT unit, b.total AS expected, coalesce(a.total, 0) AS observed, b.row_count AS production_rows
FROM before AS b
LEFT JOIN after AS a USING (unit)
WHERE b.row_count >= 10 AND b.total > 0
    AND coalesce(a.total, 0) < b.total * (1 - {max_quantity_change})
ORDER BY b.row_count DESC
