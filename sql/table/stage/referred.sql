-- Purpose: the tables that a table ($1) refers to, which are locked with it when it or one of
--   its foreign keys is dropped or created.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT confrelid FROM pg_catalog.pg_constraint WHERE conrelid = $1 AND contype = 'f'
