-- Purpose: the passed rehearsals of a migration, latest first.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
SELECT
    rehearsal_id, identity, fingerprint, version,
    to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM sterna.rehearsal
WHERE schema_name = $1 AND table_name = $2
ORDER BY at DESC
