-- Purpose: how many loads filled staging, how many of them are not complete, how many rows they
--   left there, whether it has been live since, when others wrote to it as well, and the
--   arguments and the state of the last one that is not complete.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    count(*),
    count(*) FILTER (WHERE state <> 'loaded'),
    coalesce(sum((report ->> 'rows_loaded')::bigint), 0)::bigint - (
        -- Rows deleted with their species in the meantime.
        SELECT coalesce(sum(c.row_count), 0)::bigint
        FROM sterna.load_cascade AS c
        INNER JOIN sterna.load_run AS r USING (run_id)
        WHERE r.staging = $1 AND r.state <> 'discarded'
    ),
    EXISTS (SELECT FROM sterna.switchover WHERE new_relid = $1),
    (array_agg(arguments ORDER BY started_at DESC) FILTER (WHERE state <> 'loaded'))[1],
    (array_agg(state ORDER BY started_at DESC) FILTER (WHERE state <> 'loaded'))[1]
FROM sterna.load_run
WHERE staging = $1 AND state <> 'discarded'
