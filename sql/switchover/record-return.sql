-- Purpose: records that a switchover was taken back, and how many writes went back with it,
--   in the transaction that does.
-- Lock: its row. Transaction: yes, the rollback's. Undone by: its rollback.
UPDATE sterna.switchover
SET state = 'returned', returned_at = clock_timestamp(), to_validate = $2, carried_back = $3
WHERE switchover_id = $1 AND state = 'switched'
