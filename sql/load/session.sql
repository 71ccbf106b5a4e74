-- Purpose: sets up a session that writes batches. Commits need not wait for the disk: a batch
--   and its ledger row are lost together, and the load looks for both.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SET synchronous_commit = off;
-- Statements sent after a BEGIN that fails must not take effect on their own, so each
-- transaction declares that it writes.
SET default_transaction_read_only = on;
SET search_path = '';
