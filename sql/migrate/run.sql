-- Purpose: a run of the plan: the given one, or else the latest on the table.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT run_id, state, arguments, identity, deviations, role_name, version,
    to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM sterna.migration
WHERE schema_name = $1 AND table_name = $2 AND kind = 'migration'
    AND ($3::uuid IS NULL OR run_id = $3)
ORDER BY started_at DESC
LIMIT 1
