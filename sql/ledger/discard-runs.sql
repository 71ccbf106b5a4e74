-- Purpose: discards the loads of a staging table before it is emptied. Waits for batches that
--   are being written; none can begin afterwards.
-- Lock: rows of load_run.
-- Transaction: yes, with table/stage/truncate.sql or table/stage/drop.sql. Undone by: a load.
UPDATE sterna.load_run
SET state = 'discarded', finished_at = coalesce(finished_at, clock_timestamp())
WHERE staging = $1 AND state <> 'discarded'
