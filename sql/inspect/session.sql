-- Purpose: an inspection cannot write, whatever is wrong with it.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SET default_transaction_read_only = on;
