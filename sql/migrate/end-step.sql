-- Purpose: records the outcome of the last attempt at a step.
-- Lock: its row. Transaction: either. Undone by: nothing, it is a record.
UPDATE sterna.step
SET state = $3,
    row_count = $4,
    seconds = $5,
    detail = $6,
    error = $7,
    deviations = $8,
    finished_at = clock_timestamp()
WHERE run_id = $1 AND step = $2
    AND attempt = (SELECT max(attempt) FROM sterna.step WHERE run_id = $1 AND step = $2)
