-- Purpose: which server process this session is talking to now. Lock: none.
-- Transaction: no, for a pooler may change it between transactions.
-- Undone by: nothing, it reads.
SELECT pg_catalog.pg_backend_pid()
