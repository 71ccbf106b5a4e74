-- Purpose: keeps the loads of a staging table from being discarded while their rows are
--   matched; returns for each whether it was matched already.
-- Lock: rows of load_run. Transaction: yes, first of all.
-- Undone by: the end of the transaction.
SELECT matched IS NOT NULL FROM sterna.load_run
WHERE staging = $1 AND state <> 'discarded'
FOR UPDATE
