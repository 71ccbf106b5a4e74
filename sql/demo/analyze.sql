-- Purpose: updates the statistics of tables that were just filled.
-- Lock: SHARE UPDATE EXCLUSIVE on both. Transaction: either. Undone by: nothing.
ANALYZE public.species, public.cites_trade_records
