-- Purpose: limits how long a statement may take, on the workers as well.
-- Lock: none. Transaction: yes. Undone by: the end of the transaction.
SET LOCAL statement_timeout = {milliseconds}
