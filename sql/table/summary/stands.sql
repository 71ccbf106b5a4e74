-- Purpose: whether a recomputation was made and not undone.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT EXISTS (SELECT FROM sterna.summary_run WHERE run_id = $1 AND undone_at IS NULL)
