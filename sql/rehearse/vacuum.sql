-- Purpose: creates the statistics and the visibility map that production has and a restored
--   copy lacks.
-- Lock: SHARE UPDATE EXCLUSIVE, one table at a time, in a copy. Transaction: no.
-- Undone by: not needed.
VACUUM (ANALYZE)
