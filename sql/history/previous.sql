-- Purpose: the migration of a table before a run, and the folder of its last report.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    m.run_id,
    m.state,
    to_char(m.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    (
        SELECT s.detail ->> 'folder'
        FROM sterna.step AS s
        WHERE s.run_id = m.run_id AND s.step = '5.3' AND s.state = 'done'
        ORDER BY s.attempt DESC
        LIMIT 1
    )
FROM sterna.migration AS m
WHERE m.schema_name = $1 AND m.table_name = $2 AND m.kind = 'migration' AND m.started_at < (
    SELECT run.started_at FROM sterna.migration AS run WHERE run.run_id = $3
)
ORDER BY m.started_at DESC
LIMIT 1
