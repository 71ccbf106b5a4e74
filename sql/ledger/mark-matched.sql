-- Purpose: records that the rows of a staging table have been matched with production's,
--   by this very transaction, whose number they bear from then on.
-- Lock: rows of load_run. Transaction: yes, that of load/match/script.sql.
-- Undone by: ledger/discard-runs.sql.
UPDATE sterna.load_run SET matched = pg_catalog.pg_current_xact_id()
WHERE staging = $1 AND state <> 'discarded'
