-- Purpose: statistics and a visibility map, which production has and a restored copy
--   lacks.
-- Lock: SHARE UPDATE EXCLUSIVE, a table at a time, in a copy. Transaction: no.
-- Undone by: nothing needs to.
VACUUM (ANALYZE)
