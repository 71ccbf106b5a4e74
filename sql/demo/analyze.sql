-- Purpose: statistics for tables that were filled a moment ago.
-- Lock: SHARE UPDATE EXCLUSIVE on both. Transaction: either. Undone by: nothing.
ANALYZE public.species, public.cites_trade_records
