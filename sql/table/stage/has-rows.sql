-- Purpose: whether staging holds any row.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
SELECT EXISTS (SELECT 1 FROM {staging})
