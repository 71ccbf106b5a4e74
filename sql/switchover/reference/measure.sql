-- Purpose: makes the rest of the transaction run queries as the server validates a foreign key:
--   without parallel workers.
-- Lock: none. Transaction: yes. Undone by: the end of the transaction.
SELECT pg_catalog.set_config('max_parallel_workers_per_gather', '0', true)
