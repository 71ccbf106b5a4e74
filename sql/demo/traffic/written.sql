-- Purpose: the records that the application wrote, as the table has them.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it reads.
SELECT record_id, unit FROM public.cites_trade_records WHERE term = 'demo'
