-- Purpose: the application's most frequent query: the trade of a year, by term.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
SELECT term, count(*), sum(quantity)
FROM public.cites_trade_records
WHERE year = $1
GROUP BY term
