-- Purpose: records that a step is being undone, or is undone; what it had done stays recorded.
-- Lock: its row. Transaction: either. Undone by: nothing, it is a record.
UPDATE sterna.step
SET state = $3, finished_at = clock_timestamp()
WHERE run_id = $1 AND step = $2
    AND attempt = (
        SELECT max(attempt) FROM sterna.step
        WHERE run_id = $1 AND step = $2 AND state <> 'refused'
    )
