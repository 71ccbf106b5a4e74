-- Purpose: records how many rows there were, so that a loss would be noticed.
-- Lock: none. Transaction: yes, that of the recomputation.
-- Undone by: table/summary/settle-undo.sql.
UPDATE sterna.summary_run SET rows_before = $2 WHERE run_id = $1
