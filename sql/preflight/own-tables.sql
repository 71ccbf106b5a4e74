-- Purpose: the tables next to the live one that sterna created or left there.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT relid FROM sterna.staging
UNION
SELECT old_relid FROM sterna.switchover
