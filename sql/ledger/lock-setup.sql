-- Purpose: lets only one client at a time create the ledger.
-- Lock: an advisory lock. Transaction: yes. Undone by: the end of the transaction.
SELECT pg_catalog.pg_advisory_xact_lock(1937010273, 0)
