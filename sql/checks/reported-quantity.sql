-- Name: reported-quantity
-- Purpose: the quantities that importers and exporters reported are numbers and not
--   negative; the tabulations do contain zeros.
-- Fault: row whose {column} is negative or not a number
-- Severity: error
-- Form: condition
-- For each: column importer_reported_quantity, exporter_reported_quantity
-- Parameters: {column}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
{column} < 0
-- Both are greater than any number; text takes longer to compare.
OR ({column} > 1e300 AND {column}::text IN ('NaN', 'Infinity'))
