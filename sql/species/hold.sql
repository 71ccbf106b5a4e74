-- Purpose: holds a species so that no new row can refer to it while references are
--   counted; waits for those that are just being written.
-- Lock: the row, FOR UPDATE. Transaction: yes, first of all. Undone by: its end.
SELECT id FROM {species} WHERE id::text = $1 FOR UPDATE
