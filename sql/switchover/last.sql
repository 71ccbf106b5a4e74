-- Purpose: the latest switchover of a table, or of a run on it, and how long ago it was.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    switchover_id,
    run_id,
    old_relid,
    new_relid,
    state,
    fingerprint,
    exceptions,
    row_count,
    replayed,
    coalesce(carried_back, 0),
    to_validate,
    extract(epoch FROM clock_timestamp() - switched_at)::float8,
    left_relid IS NOT NULL
FROM sterna.switchover
WHERE schema_name = $1 AND table_name = $2 AND ($3::uuid IS NULL OR run_id = $3)
ORDER BY switched_at DESC
LIMIT 1
