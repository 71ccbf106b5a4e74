-- Purpose: brings a stretch of a table into the cache of the server. A range of row
--   places is read through that cache; the scan of a whole large table is not.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it reads.
SELECT count(*) FROM {trade} WHERE ctid >= {first} AND ctid < {end}
