-- Purpose: the validations of a table and of its staging table since a run began, oldest first.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT report, to_char(validated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM sterna.validation
WHERE table_name = ANY ($1) AND validated_at >= coalesce(
    (SELECT run.started_at FROM sterna.migration AS run WHERE run.run_id = $2),
    '-infinity'
)
ORDER BY validated_at
