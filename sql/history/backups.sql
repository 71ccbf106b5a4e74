-- Purpose: the backups of a table since a run began, oldest first.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    path, sha256, tables, bytes, verified,
    to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM sterna.backup
WHERE target = $1 AND at >= coalesce(
    (SELECT run.started_at FROM sterna.migration AS run WHERE run.run_id = $2),
    '-infinity'
)
ORDER BY at
