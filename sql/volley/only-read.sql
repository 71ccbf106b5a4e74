-- Purpose: allows writes only in transactions that declare that they write. A cancel request
--   may hit the BEGIN that is sent before other statements, which would then commit one by one.
-- Lock: none. Transaction: no. Undone by: volley/write.sql.
SET default_transaction_read_only = on
