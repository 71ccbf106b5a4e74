-- Purpose: how many rows of a load were deleted with the row they referred to.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT coalesce(sum(row_count), 0)::bigint FROM sterna.load_cascade WHERE run_id = $1
