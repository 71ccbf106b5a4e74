-- Purpose: the latest backup of a table.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT backup_id, path, sha256, tables, bytes, verified, role_name, version,
    to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM sterna.backup
WHERE target = $1
ORDER BY at DESC
LIMIT 1
