-- Purpose: the tables beside the live one that sterna has made or left there.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT relid FROM sterna.staging
UNION
SELECT old_relid FROM sterna.switchover
