-- Purpose: keeps the loads of a staging table from being let go of while their rows are
--   matched; whether each has been matched already.
-- Lock: rows of load_run. Transaction: yes, first of all. Undone by: its end.
SELECT matched IS NOT NULL FROM sterna.load_run
WHERE staging = $1 AND state <> 'discarded'
FOR UPDATE
