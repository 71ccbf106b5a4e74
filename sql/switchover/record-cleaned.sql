-- Purpose: records that an old table was dropped, in the transaction that drops it.
-- Lock: its row. Transaction: yes. Undone by: its rollback.
UPDATE sterna.switchover
SET state = 'cleaned', cleaned_at = clock_timestamp()
WHERE switchover_id = $1
