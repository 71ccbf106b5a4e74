-- Purpose: removes the unusable index that an interrupted rebuild left behind.
-- Lock: SHARE UPDATE EXCLUSIVE on the table: readers and writers go on.
-- Transaction: must not be in one. Undone by: nothing needs to, no query used it.
DROP INDEX CONCURRENTLY {index}
