-- Purpose: lets transactions write again without declaring it.
-- Lock: none. Transaction: no. Undone by: volley/only-read.sql.
SET default_transaction_read_only = off
