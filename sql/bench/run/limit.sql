-- Purpose: limits each execution to a number of milliseconds.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SELECT pg_catalog.set_config('statement_timeout', $1, false)
