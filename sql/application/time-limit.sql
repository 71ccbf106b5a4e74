-- Purpose: how long a query of the transaction may take, in milliseconds.
-- Lock: none. Transaction: yes. Undone by: its end.
SELECT pg_catalog.set_config('statement_timeout', $1, true)
