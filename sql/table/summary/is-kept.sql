-- Purpose: whether the ledger still knows what a recomputation replaced or wrote.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT EXISTS (SELECT FROM sterna.summary_before WHERE run_id = $1)
    OR EXISTS (SELECT FROM sterna.summary_written WHERE run_id = $1)
