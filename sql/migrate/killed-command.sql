-- Purpose: the latest run on a table and its step, if it is a step by its own command and was
--   killed: the command resumes it when run again. The caller holds the run's lock, so nobody
--   else is working on it.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT m.run_id, s.step
FROM sterna.migration AS m
INNER JOIN sterna.step AS s USING (run_id)
WHERE m.run_id = (
    SELECT run_id FROM sterna.migration
    WHERE schema_name = $1 AND table_name = $2
    ORDER BY started_at DESC
    LIMIT 1
)
AND m.kind = 'command' AND m.state = 'running'
LIMIT 1
