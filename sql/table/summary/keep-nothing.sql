-- Purpose: forgets what a recomputation replaced and wrote, although it stands: it followed a rollback,
--   and undoing it would bring back counts of rows that are gone.
-- Lock: none. Transaction: yes, that of the recomputation. Undone by: its rollback.
WITH forgotten AS (
    DELETE FROM sterna.summary_before WHERE run_id = $1
)
DELETE FROM sterna.summary_written WHERE run_id = $1
