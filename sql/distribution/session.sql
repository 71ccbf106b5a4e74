-- Purpose: has the coordinator confirm a commit only once it is on its disk. Citus tells the
--   workers to commit before that, and a coordinator that then loses its own part would have
--   rows without the ledger row of their batch.
-- Lock: none. Transaction: no, after load/session.sql. Undone by: the end of the session.
SET synchronous_commit = on
