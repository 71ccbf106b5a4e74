-- Purpose: a reader that keeps its lock, as a report does that takes its time.
-- Lock: ACCESS SHARE until the transaction ends. Transaction: yes. Undone by: its end.
SELECT count(*) FROM public.cites_trade_records
