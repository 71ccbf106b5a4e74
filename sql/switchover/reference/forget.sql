-- Purpose: forgets what an earlier try has kept in temporary tables.
-- Lock: none. Transaction: either. Undone by: nothing needs to.
DISCARD TEMP
