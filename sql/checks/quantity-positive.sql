-- Name: quantity-positive
-- Purpose: the quantity of a shipment is a number above zero; that it fits the column
--   is what its type says, which the structure has to be equal in.
-- Severity: error
-- Form: condition
-- Columns: quantity
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it reads.
quantity <= 0 OR quantity::text IN ('NaN', 'Infinity')
