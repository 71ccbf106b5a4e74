-- Purpose: what a proof has found equal, as a digest; NULL if there was none. One for each of the
--   loads $1.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT proved FROM sterna.load_run WHERE run_id = ANY ($1)
