-- Purpose: the last attempt at each step of the run that migrate/run.sql finds. Refused attempts
--   are left out: they changed nothing.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT DISTINCT ON (step)
    step, attempt, state, row_count, seconds, detail, error, deviations, role_name, version,
    to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    run_id
FROM sterna.step
WHERE state <> 'refused' AND run_id = (
    SELECT m.run_id FROM sterna.migration AS m
    WHERE m.schema_name = $1 AND m.table_name = $2 AND m.kind = 'migration'
        AND ($3::uuid IS NULL OR m.run_id = $3)
    ORDER BY m.started_at DESC
    LIMIT 1
)
ORDER BY step, attempt DESC
