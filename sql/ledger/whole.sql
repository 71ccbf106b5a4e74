-- Purpose: how many rows a load had written when all were in, and the sum of their hashes;
--   NULL before that. Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT (report ->> 'rows_loaded')::bigint, checksum
FROM sterna.load_run
WHERE run_id = $1 AND state <> 'loading'
