-- Purpose: the loads for a table since a run began, oldest first.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    run_id,
    state,
    report,
    arguments,
    to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    extract(epoch FROM finished_at - started_at)::float8
FROM sterna.load_run
WHERE target = $1 AND started_at >= coalesce(
    (SELECT run.started_at FROM sterna.migration AS run WHERE run.run_id = $2),
    '-infinity'
)
ORDER BY started_at, run_id
