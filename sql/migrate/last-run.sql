-- Purpose: the latest run of the plan on a table. Lock: none. Transaction: either.
-- Undone by: nothing, it reads.
SELECT run_id, state, arguments, identity, deviations, role_name, version,
    to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM sterna.migration
WHERE schema_name = $1 AND table_name = $2 AND kind = 'migration'
ORDER BY started_at DESC
LIMIT 1
