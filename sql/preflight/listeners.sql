-- Purpose: sessions that wait to be told to reload the API's schema cache, judging by their
--   last statement.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT count(*) FROM pg_catalog.pg_stat_activity
WHERE datname = current_database() AND query ~* '^\s*listen\s+"?pgrst'
