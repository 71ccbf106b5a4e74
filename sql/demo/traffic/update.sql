-- Purpose: updates a record, as the application does.
-- Lock: ROW EXCLUSIVE. Transaction: either. Undone by: nothing.
UPDATE public.cites_trade_records SET unit = $2 WHERE record_id = $1
