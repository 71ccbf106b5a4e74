-- Name: quantity-lost
-- Purpose: no unit's total quantity has fallen by more than the limit. Units with fewer
--   than ten rows are left out, because one correction changes their total.
-- Fault: unit whose total has fallen by more than the limit
-- Severity: error
-- For each: column quantity, importer_reported_quantity, exporter_reported_quantity
-- Columns: unit, year
-- Applies to: staging
-- Parameters: {quantities}, {max_quantity_change}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT unit, production AS expected, checked AS observed, row_count AS production_rows
FROM jsonb_to_recordset({quantities}) AS q (
    unit text, row_count bigint, production numeric, checked numeric
)
WHERE row_count >= 10 AND production > 0
    AND checked < production * (1 - {max_quantity_change})
ORDER BY row_count DESC
