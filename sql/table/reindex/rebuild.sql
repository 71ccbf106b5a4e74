-- Purpose: rebuilds an index next to the old one and puts it in its place.
-- Lock: SHARE UPDATE EXCLUSIVE on the table: readers and writers are not blocked.
-- Transaction: must not be in one.
-- Undone by: not needed; if it is interrupted, reindex/drop-leftover.sql.
REINDEX INDEX CONCURRENTLY {index}
