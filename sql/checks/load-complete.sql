-- Name: load-complete
-- Purpose: staging has at least one load, and every load is complete, with no more rejects
--   than accepted.
-- Fault: load missing or incomplete
-- Severity: error
-- Applies to: staging
-- Parameters: {checked_oid}
-- Lock: ACCESS SHARE on what it reads. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT run_id, state, 'loaded' AS expected
FROM sterna.load_run
WHERE staging = {checked_oid} AND state NOT IN ('loaded', 'discarded')
UNION ALL
SELECT NULL, 'no load', 'loaded'
WHERE NOT EXISTS (
    SELECT FROM sterna.load_run WHERE staging = {checked_oid} AND state <> 'discarded'
)
