-- Purpose: whether the server takes writes, asked before the session allows itself to.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SHOW transaction_read_only
