-- Purpose: the state of a table's journal in one direction: whether both triggers exist and
--   fire for every writer, which must hold without a gap, and what is left to carry over.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT row_count, added, removed, armed, waiting, inserted, deleted
FROM sterna.journal_state($1, $2)
