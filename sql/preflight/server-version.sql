-- Purpose: whether the server has another major version than the one sterna is tested on.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT format('the server is PostgreSQL %s', current_setting('server_version'))
WHERE current_setting('server_version_num')::integer / 10000 <> 15
