-- Purpose: the current recomputation: the last one that was not undone.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT run_id, rows_before
FROM sterna.summary_run
WHERE schema_name = $1 AND table_name = $2 AND undone_at IS NULL
ORDER BY at DESC, run_id
LIMIT 1
