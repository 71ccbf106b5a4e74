-- Purpose: the number of pages that the server's cache holds.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT setting::bigint FROM pg_catalog.pg_settings WHERE name = 'shared_buffers'
