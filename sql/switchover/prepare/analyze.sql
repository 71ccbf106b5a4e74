-- Purpose: statistics by the targets that staging has now.
-- Lock: SHARE UPDATE EXCLUSIVE on staging. Transaction: either.
-- Undone by: nothing needs to.
ANALYZE {table}
