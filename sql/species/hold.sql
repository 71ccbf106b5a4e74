-- Purpose: holds a species so that no new row can refer to it while references are counted;
--   waits for rows that are just being written.
-- Lock: the row, FOR UPDATE. Transaction: yes, first of all.
-- Undone by: the end of the transaction.
SELECT id FROM {species} WHERE id::text = $1 FOR UPDATE
