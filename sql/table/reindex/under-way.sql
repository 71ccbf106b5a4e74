-- Purpose: sessions that build or rebuild an index of a table right now, whose
--   unfinished index is no leftover.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT pid
FROM pg_catalog.pg_stat_progress_create_index
WHERE relid = $1 AND pid <> pg_catalog.pg_backend_pid()
ORDER BY pid
