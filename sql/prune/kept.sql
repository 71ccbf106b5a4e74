-- Purpose: since when runs are kept: the start of the oldest of the latest $3 runs of the plan on
--   the table, or of an earlier one that is unfinished or whose old table is still there. Also the
--   number of runs from then on. No row if no run of the plan is older.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH run AS (
    SELECT run_id, kind, state, started_at,
        row_number() OVER (PARTITION BY kind ORDER BY started_at DESC) AS number
    FROM sterna.migration
    WHERE schema_name = $1 AND table_name = $2
),

oldest AS (
    SELECT min(started_at) AS at FROM run
    WHERE (kind = 'migration' AND (number <= $3 OR state IN ('running', 'failed', 'stopped')))
        OR EXISTS (
            SELECT FROM sterna.switchover AS s
            WHERE s.run_id = run.run_id AND s.state = 'switched'
        )
)

SELECT oldest.at::text, to_char(oldest.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    count(*) FILTER (WHERE run.kind = 'migration' AND run.started_at >= oldest.at)
FROM run, oldest
GROUP BY oldest.at
HAVING bool_or(run.kind = 'migration' AND run.started_at < oldest.at)
