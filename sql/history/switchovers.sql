-- Purpose: the switchovers of a table since a run began, oldest first.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    switchover_id,
    state,
    row_count,
    replayed,
    exceptions,
    pg_catalog.jsonb_array_length(fingerprint),
    role_name,
    to_char(switched_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    to_char(returned_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    to_char(cleaned_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM sterna.switchover
WHERE schema_name = $1 AND table_name = $2 AND switched_at >= coalesce(
    (SELECT run.started_at FROM sterna.migration AS run WHERE run.run_id = $3),
    '-infinity'
)
ORDER BY switched_at
