-- Name: quantity-missing
-- Purpose: every shipment has a quantity.
-- Fault: shipment without a quantity
-- Severity: warning
-- Form: condition
-- Filled: quantity
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
quantity IS NULL
