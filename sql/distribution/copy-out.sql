-- Purpose: reads all rows of a distributed table for the proof. Their xmin is that of a worker,
--   so they count as written by one transaction.
-- Lock: ACCESS SHARE. Transaction: yes. Undone by: nothing, it only reads.
COPY (SELECT '0'::pg_catalog.xid, {values} FROM {staging}) TO STDOUT (FORMAT binary)
