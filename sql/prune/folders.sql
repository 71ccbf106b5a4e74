-- Purpose: the folders that runs of the plan before $3 have written: their backups, with the id
--   that must be in the manifest, and their reports, unless a later run wrote to the same folder.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH done AS (
    SELECT s.step, s.detail, m.started_at < $3::text::timestamptz AS is_old
    FROM sterna.step AS s
    INNER JOIN sterna.migration AS m USING (run_id)
    WHERE m.schema_name = $1 AND m.table_name = $2 AND m.kind = 'migration'
        AND s.step IN ('1.1', '5.3')
),

report AS (
    SELECT detail ->> 'folder' AS path FROM done
    WHERE step = '5.3' AND detail ->> 'folder' IS NOT NULL
    GROUP BY detail ->> 'folder' HAVING bool_and(is_old)
)

SELECT b.path, b.backup_id
FROM sterna.backup AS b
WHERE EXISTS (
    SELECT FROM done
    WHERE done.step = '1.1' AND done.is_old AND done.detail ->> 'backup_id' = b.backup_id::text
)
UNION ALL
SELECT path, NULL FROM report
ORDER BY path
