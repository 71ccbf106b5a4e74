-- Purpose: the loads whose rows staging holds, oldest first.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT run_id, state, identity, report, mends, arguments
FROM sterna.load_run
WHERE staging = $1 AND state <> 'discarded'
ORDER BY started_at, run_id
