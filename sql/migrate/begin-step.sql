-- Purpose: records a step before it acts; returns the number of the attempt.
-- Lock: none. Transaction: either, under the run's lock. Undone by: nothing, it is a record.
INSERT INTO sterna.step (run_id, step, attempt, state, arguments, version)
VALUES (
    $1, $2,
    (SELECT coalesce(max(attempt), 0) + 1 FROM sterna.step WHERE run_id = $1 AND step = $2),
    'started', $3, $4
)
RETURNING attempt
