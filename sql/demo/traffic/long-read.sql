-- Purpose: reads and keeps the lock, as a slow report does.
-- Lock: ACCESS SHARE until the transaction ends. Transaction: yes.
-- Undone by: the end of the transaction.
SELECT count(*) FROM public.cites_trade_records
