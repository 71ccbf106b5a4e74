-- Purpose: the folders that runs of the plan before $3 have written, with the run: their backups,
--   with the id that must be in the manifest, and their reports.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH done AS (
    SELECT s.run_id, s.step, s.detail
    FROM sterna.step AS s
    INNER JOIN sterna.migration AS m ON m.run_id = s.run_id
    WHERE m.schema_name = $1 AND m.table_name = $2 AND m.kind = 'migration'
        AND m.started_at < $3::text::timestamptz AND s.step IN ('1.1', '5.3')
)
SELECT b.path, done.run_id, b.backup_id
FROM sterna.backup AS b
INNER JOIN done ON done.step = '1.1' AND done.detail ->> 'backup_id' = b.backup_id::text
UNION
SELECT detail ->> 'folder', run_id, NULL
FROM done
WHERE step = '5.3' AND detail ->> 'folder' IS NOT NULL
ORDER BY 1
