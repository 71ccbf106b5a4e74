-- Purpose: transactions write again without saying so.
-- Lock: none. Transaction: no. Undone by: volley/only-read.sql.
SET default_transaction_read_only = off
