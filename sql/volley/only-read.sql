-- Purpose: what follows writes nothing but in a transaction that says that it writes. A
--   cancel request may hit the BEGIN that is sent before other statements, which would then
--   commit one by one.
-- Lock: none. Transaction: no. Undone by: volley/write.sql.
SET default_transaction_read_only = on
