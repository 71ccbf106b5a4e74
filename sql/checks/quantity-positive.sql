-- Name: quantity-positive
-- Purpose: the quantity of a shipment is a number above zero. That it fits the column is up
--   to the column's type, which the structure check compares.
-- Fault: shipment whose quantity is not a number above zero
-- Severity: error
-- Form: condition
-- Columns: quantity
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
quantity <= 0
-- Both are greater than any number; text takes longer to compare.
OR (quantity > 1e300 AND quantity::text IN ('NaN', 'Infinity'))
