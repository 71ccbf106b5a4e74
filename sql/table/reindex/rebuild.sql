-- Purpose: builds an index again beside the old one and puts it in its place.
-- Lock: SHARE UPDATE EXCLUSIVE on the table: readers and writers go on.
-- Transaction: must not be in one. Undone by: nothing needs to; where it is
--   interrupted, reindex/drop-leftover.sql.
REINDEX INDEX CONCURRENTLY {index}
