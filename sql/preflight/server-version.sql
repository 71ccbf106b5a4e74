-- Purpose: the server's version.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT pg_catalog.current_setting('server_version')
