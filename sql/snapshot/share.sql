-- Purpose: lets other sessions see exactly what this one sees.
-- Lock: none. Transaction: yes, as long as the others need it.
-- Undone by: the end of the transaction.
SELECT pg_catalog.pg_export_snapshot()
