-- Purpose: records the outcome of a load. Only a load whose rows are still in staging changes
--   its state.
-- Lock: its row. Transaction: either. Undone by: ledger/discard-runs.sql.
UPDATE sterna.load_run
SET state = $2,
    report = coalesce($3, report),
    checksum = coalesce($4, checksum),
    finished_at = CASE WHEN $2 IN ('loading', 'built') THEN NULL ELSE clock_timestamp() END
WHERE run_id = $1 AND state <> 'discarded'
RETURNING run_id
