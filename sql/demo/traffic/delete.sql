-- Purpose: deletes a record, as the application does.
-- Lock: ROW EXCLUSIVE. Transaction: either. Undone by: nothing.
DELETE FROM public.cites_trade_records WHERE record_id = $1
