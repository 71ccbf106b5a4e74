-- Purpose: makes the server end what a session runs when its client is gone, on platforms where
--   the server can see that, if the server process is $1.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SELECT pg_catalog.set_config('client_connection_check_interval', '2s', false)
WHERE pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) $1
