-- Purpose: updates statistics by staging's current targets.
-- Lock: SHARE UPDATE EXCLUSIVE on staging. Transaction: either. Undone by: not needed.
ANALYZE {table}
