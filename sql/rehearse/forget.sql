-- Purpose: takes away what the restored ledger says of runs on production, with the
--   triggers that record writes there: in a copy, tables have other OIDs.
-- Lock: ACCESS EXCLUSIVE on the ledger's tables and on tables with its triggers, in a copy.
-- Transaction: either. Undone by: restoring again.
DROP SCHEMA IF EXISTS sterna CASCADE
