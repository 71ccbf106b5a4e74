-- Purpose: what single commands have done to a table since its last migration began, if there was
--   one: the last of each step. Refused attempts are left out: they changed nothing.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT DISTINCT ON (s.step)
    s.step, s.attempt, s.state, s.row_count, s.seconds, s.detail, s.error, s.deviations, s.role_name,
    s.version,
    to_char(s.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    to_char(s.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM sterna.step AS s
INNER JOIN sterna.migration AS m USING (run_id)
WHERE m.schema_name = $1 AND m.table_name = $2 AND m.kind = 'command' AND s.state <> 'refused'
    AND s.started_at >= coalesce(
        (
            SELECT max(run.started_at) FROM sterna.migration AS run
            WHERE run.schema_name = $1 AND run.table_name = $2 AND run.kind = 'migration'
        ),
        '-infinity'
    )
ORDER BY s.step, s.started_at DESC
