-- Purpose: sessions that wait for the word to reload the API's schema cache, as far as
--   their last statement tells. Lock: none. Transaction: either.
-- Undone by: nothing, it reads.
SELECT count(*) FROM pg_catalog.pg_stat_activity
WHERE datname = current_database() AND query ~* '^\s*listen\s+"?pgrst'
