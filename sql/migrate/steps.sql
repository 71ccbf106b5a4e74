-- Purpose: the steps of a run, each in its last attempt; one that was refused has changed
--   nothing about its step. Lock: none.
-- Transaction: either. Undone by: nothing, it reads.
SELECT DISTINCT ON (step)
    step, attempt, state, row_count, seconds, detail, error, deviations, role_name, version,
    to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM sterna.step
WHERE run_id = $1 AND state <> 'refused'
ORDER BY step, attempt DESC
