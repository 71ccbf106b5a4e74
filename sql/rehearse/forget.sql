-- Purpose: removes from a copy what the restored ledger says of runs on production, and the
--   triggers that record writes there: in a copy, tables have other OIDs.
-- Lock: ACCESS EXCLUSIVE on the ledger's tables and on tables with its triggers, in a copy.
-- Transaction: either. Undone by: another restore.
DROP SCHEMA IF EXISTS sterna CASCADE
