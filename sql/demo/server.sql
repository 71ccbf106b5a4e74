-- Purpose: the server's version, and the settings that affect a duration.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    current_setting('server_version'),
    current_setting('fsync')::boolean,
    current_setting('shared_buffers')
