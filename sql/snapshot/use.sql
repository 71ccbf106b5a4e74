-- Purpose: sees exactly what the session that exported the snapshot sees.
-- Lock: none. Transaction: yes, first of all. Undone by: the end of the transaction.
SET TRANSACTION SNAPSHOT {snapshot}
