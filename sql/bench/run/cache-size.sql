-- Purpose: how many pages the cache of the server holds. Lock: none.
-- Transaction: either. Undone by: nothing, it reads.
SELECT setting::bigint FROM pg_catalog.pg_settings WHERE name = 'shared_buffers'
