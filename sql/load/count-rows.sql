-- Purpose: how many rows staging has.
-- Lock: ACCESS SHARE on staging. Transaction: either. Undone by: nothing, it only reads.
SELECT count(*) FROM {staging}
