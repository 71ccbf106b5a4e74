-- Purpose: makes the server end what a session runs when its client is gone, on platforms where
--   the server can see that.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SET client_connection_check_interval = '2s'
