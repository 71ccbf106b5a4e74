-- Purpose: a session that writes batches. Commits need not wait for the disk: a
--   batch and its ledger row are lost together, and the load looks for both.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SET synchronous_commit = off;
SET search_path = '';
