-- Purpose: whether a backup table is sterna's own.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT EXISTS (SELECT FROM sterna.backup_table WHERE relid = $1)
