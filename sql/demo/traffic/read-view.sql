-- Purpose: reads a view, as the application does; it must show the new table as soon as there
--   is one.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
SELECT count(*) FROM public.trade_routes WHERE year = $1
