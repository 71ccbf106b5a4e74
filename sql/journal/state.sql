-- Purpose: whether writes to a table are recorded, as they must have been without
--   a gap, by both triggers, always; and what is to be carried over, in a direction.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT row_count, added, removed, armed, waiting, inserted, deleted
FROM sterna.journal_state($1, $2)
