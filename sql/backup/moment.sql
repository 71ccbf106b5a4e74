-- Purpose: when the snapshot was taken, and the server's version.
-- Lock: none. Transaction: yes, on the dump's snapshot. Undone by: nothing, it only reads.
SELECT
    to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    current_setting('server_version'),
    current_setting('server_version_num')::integer / 10000
