-- Purpose: the value of a char(n) column as it was written, without the blanks that the server
--   pads it with.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
CAST({column} AS pg_catalog.text)
