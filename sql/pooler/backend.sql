-- Purpose: the server process that this session is talking to now.
-- Lock: none. Transaction: no, because a pooler may change it between transactions.
-- Undone by: nothing, it only reads.
SELECT pg_catalog.pg_backend_pid()
