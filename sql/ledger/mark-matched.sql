-- Purpose: records that the rows of a staging table were matched with production's by this
--   transaction, whose number they have as xmin from then on.
-- Lock: rows of load_run. Transaction: yes, that of load/match/script.sql.
-- Undone by: ledger/discard-runs.sql.
UPDATE sterna.load_run SET matched = pg_catalog.pg_current_xact_id()
WHERE staging = $1 AND state <> 'discarded'
