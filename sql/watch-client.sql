-- Purpose: the server ends what a session runs when its client is gone, where it can see
--   that: not on every platform.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SET client_connection_check_interval = '2s'
