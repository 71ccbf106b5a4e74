-- Purpose: whether the server accepts writes, asked before the session allows itself to write.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SHOW transaction_read_only
