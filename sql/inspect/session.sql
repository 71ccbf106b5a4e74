-- Purpose: makes the session of an inspection read-only, so that no bug can write.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SET default_transaction_read_only = on;
