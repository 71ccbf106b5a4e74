-- Purpose: every attempt at a step since a run began, including those of single commands, with
--   the seconds from the first of them to its start and end. The report being written is left
--   out.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    s.step,
    s.attempt,
    s.state,
    m.kind = 'command',
    extract(epoch FROM s.started_at - min(s.started_at) OVER ())::float8,
    coalesce(
        s.seconds,
        extract(epoch FROM coalesce(s.finished_at, pg_catalog.clock_timestamp()) - s.started_at)
    )::float8,
    s.row_count,
    s.error,
    s.role_name,
    to_char(s.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM sterna.step AS s
INNER JOIN sterna.migration AS m USING (run_id)
WHERE m.schema_name = $1 AND m.table_name = $2 AND s.started_at >= coalesce(
    (SELECT run.started_at FROM sterna.migration AS run WHERE run.run_id = $3),
    '-infinity'
)
    AND NOT (s.step = '5.3' AND s.state = 'started')
ORDER BY s.started_at, s.step, s.attempt
