-- Purpose: how many loads filled staging, how many of them are not at their end, how
--   many rows they loaded, and whether it was live since, when others wrote to it as
--   well. Lock: none. Transaction: either.
-- Undone by: nothing, it reads.
SELECT
    count(*),
    count(*) FILTER (WHERE state <> 'loaded'),
    coalesce(sum((report ->> 'rows_loaded')::bigint), 0)::bigint,
    EXISTS (SELECT FROM sterna.switchover WHERE new_relid = $1)
FROM sterna.load_run
WHERE staging = $1 AND state <> 'discarded'
