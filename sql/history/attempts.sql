-- Purpose: every attempt at a step since a run began, including those of single commands, with
--   the seconds from the first of them to its start and end. The report being written is left
--   out. An attempt that never ended was killed if another began after it, or if no session
--   works on the table any more ($4: its name and that of staging, as in sterna's locks); its
--   last sign of life is the last batch that it wrote.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH attempt AS (
    SELECT
        s.*,
        m.kind,
        lead(s.started_at) OVER (ORDER BY s.started_at, s.step, s.attempt) AS next_at
    FROM sterna.step AS s
    INNER JOIN sterna.migration AS m USING (run_id)
    WHERE m.schema_name = $1 AND m.table_name = $2 AND s.started_at >= coalesce(
        (SELECT run.started_at FROM sterna.migration AS run WHERE run.run_id = $3),
        '-infinity'
    )
), judged AS (
    SELECT
        *,
        state = 'started' AND (next_at IS NOT NULL OR NOT EXISTS (
            SELECT
            FROM pg_catalog.pg_locks AS l
            WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
                AND l.classid = 1937010273::oid
                AND l.objid IN (
                    SELECT (pg_catalog.hashtext(named.name)::bigint & 4294967295)::oid
                    FROM unnest($4::text[]) AS named (name)
                )
                AND l.database = (
                    SELECT d.oid
                    FROM pg_catalog.pg_database AS d
                    WHERE d.datname = pg_catalog.current_database()
                )
        )) AS is_killed
    FROM attempt
)
SELECT
    s.step,
    s.attempt,
    s.state,
    s.kind = 'command',
    extract(epoch FROM s.started_at - min(s.started_at) OVER ())::float8,
    coalesce(
        s.seconds,
        extract(epoch FROM coalesce(
            s.finished_at,
            CASE WHEN s.is_killed THEN coalesce(sign.at, s.started_at) END,
            pg_catalog.clock_timestamp()
        ) - s.started_at)
    )::float8,
    s.row_count,
    s.error,
    s.role_name,
    to_char(s.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    s.is_killed
FROM judged AS s
LEFT JOIN LATERAL (
    SELECT max(b.at) AS at
    FROM sterna.load_batch AS b
    INNER JOIN sterna.load_run AS r USING (run_id)
    WHERE s.is_killed AND r.target = ($4::text[])[1] AND b.at >= s.started_at
        AND b.at < coalesce(s.next_at, 'infinity')
) AS sign ON true
WHERE NOT (s.step = '5.3' AND s.state = 'started')
ORDER BY s.started_at, s.step, s.attempt
