-- Purpose: removes the unusable index that an interrupted rebuild left behind.
-- Lock: SHARE UPDATE EXCLUSIVE on the table: readers and writers are not blocked.
-- Transaction: must not be in one. Undone by: not needed, no query used it.
DROP INDEX CONCURRENTLY {index}
