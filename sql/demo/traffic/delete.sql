-- Purpose: a record that the application deletes. Lock: ROW EXCLUSIVE.
-- Transaction: either. Undone by: nothing.
DELETE FROM public.cites_trade_records WHERE record_id = $1
