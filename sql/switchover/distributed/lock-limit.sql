-- Purpose: limits how long a statement waits for a lock, on the workers as well.
-- Lock: none. Transaction: yes. Undone by: the end of the transaction.
SET LOCAL lock_timeout = {milliseconds}
