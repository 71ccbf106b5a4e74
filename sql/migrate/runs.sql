-- Purpose: what was done to a table as a whole, latest first: runs of the plan, and switchovers
--   by their own command. One that was cleaned up cannot be rolled back, but is listed so that
--   nothing earlier takes its place.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT run_id, kind
FROM sterna.migration AS m
WHERE schema_name = $1 AND table_name = $2
    AND (
        kind = 'migration'
        OR EXISTS (
            SELECT FROM sterna.switchover AS s
            WHERE s.run_id = m.run_id
        )
    )
ORDER BY started_at DESC
