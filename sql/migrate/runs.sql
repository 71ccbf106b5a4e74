-- Purpose: what was done to a table and can be taken back as a whole, the latest first: runs
--   of the plan, and switchovers by a command of their own that were not cleaned up since.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT run_id, kind
FROM sterna.migration AS m
WHERE schema_name = $1 AND table_name = $2
    AND (
        kind = 'migration'
        OR EXISTS (
            SELECT FROM sterna.switchover AS s
            WHERE s.run_id = m.run_id AND s.state <> 'cleaned'
        )
    )
ORDER BY started_at DESC
