-- Purpose: what the application asks of a view, which has to read the new table as soon
--   as there is one. Lock: ACCESS SHARE. Transaction: either.
-- Undone by: nothing, it reads.
SELECT count(*) FROM public.trade_routes WHERE year = $1
