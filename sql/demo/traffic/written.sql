-- Purpose: the records that the application wrote, as they are in the table.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
SELECT record_id, unit FROM public.cites_trade_records WHERE term = 'demo'
