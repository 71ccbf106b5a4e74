-- Purpose: what the server is, as far as a duration depends on it.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT
    current_setting('server_version'),
    current_setting('fsync')::boolean,
    current_setting('shared_buffers')
