-- Purpose: how many rows a load had written when all were written, and the sum of their hashes;
--   no row while it is still loading.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT (report ->> 'rows_loaded')::bigint, checksum
FROM sterna.load_run
WHERE run_id = $1 AND state <> 'loading'
