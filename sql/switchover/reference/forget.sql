-- Purpose: drops what an earlier attempt kept in temporary tables.
-- Lock: none. Transaction: either. Undone by: not needed.
DISCARD TEMP
