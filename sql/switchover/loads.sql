-- Purpose: how many loads filled staging, how many of them are not at their end, and
--   how many rows they loaded. Lock: none. Transaction: either.
-- Undone by: nothing, it reads.
SELECT
    count(*),
    count(*) FILTER (WHERE state <> 'loaded'),
    coalesce(sum((report ->> 'rows_loaded')::bigint), 0)::bigint
FROM sterna.load_run
WHERE staging = $1 AND state <> 'discarded'
