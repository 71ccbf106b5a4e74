-- Name: quantity-grown
-- Purpose: no unit's total quantity has grown by more than the limit: a shipment in grams
--   may be stored as kilograms, or one that is far too large may have been added.
-- Fault: unit whose total has grown by more than the limit
-- Severity: warning
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
    AND checked > production * (1 + {max_quantity_change})
ORDER BY row_count DESC
