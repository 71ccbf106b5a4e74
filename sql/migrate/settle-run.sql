-- Purpose: records the state of a run.
-- Lock: its row. Transaction: either. Undone by: itself, with another state.
UPDATE sterna.migration
SET state = $2,
    finished_at = CASE WHEN $2 = 'running' THEN NULL ELSE clock_timestamp() END
WHERE run_id = $1
