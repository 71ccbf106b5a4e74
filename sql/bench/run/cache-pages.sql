-- Purpose: reads part of a table into the server's cache. A scan of a ctid range goes through
--   that cache; a scan of a whole large table does not.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
SELECT count(*) FROM {trade} WHERE ctid >= {first} AND ctid < {end}
