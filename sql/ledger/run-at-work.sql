-- Purpose: which run a session ($3) that holds the lock of a table ($1 and $2), or of its staging
--   table, is working on, in words. Steps that began before the session was opened were those of
--   others.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT format(
    'run %s, %sstep %s since %s',
    m.run_id,
    CASE s.state WHEN 'undoing' THEN 'rolling back ' ELSE '' END,
    s.step,
    to_char(s.began AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
)
FROM sterna.migration AS m
INNER JOIN (
    SELECT
        run_id, step, state,
        CASE state WHEN 'undoing' THEN finished_at ELSE started_at END AS began
    FROM sterna.step
    WHERE state IN ('started', 'undoing')
) AS s USING (run_id)
INNER JOIN pg_catalog.pg_stat_activity AS a ON a.pid = $3
WHERE m.schema_name = $1
    AND $2 IN (m.table_name, m.table_name || '_staging')
    AND s.began >= a.backend_start
ORDER BY s.began DESC
LIMIT 1
