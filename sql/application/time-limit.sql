-- Purpose: limits each query of the transaction to a number of milliseconds.
-- Lock: none. Transaction: yes. Undone by: the end of the transaction.
SELECT pg_catalog.set_config('statement_timeout', $1, true)
