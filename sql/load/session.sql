-- Purpose: a session that writes batches. Commits need not wait for the disk: a
--   batch and its ledger row are lost together, and the load looks for both.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SET synchronous_commit = off;
-- What is sent behind a BEGIN that fails must not be done by itself: each transaction says
-- that it writes.
SET default_transaction_read_only = on;
SET search_path = '';
