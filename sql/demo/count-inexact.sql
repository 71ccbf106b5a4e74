-- Purpose: how many quantities numeric(10,2) can hold only rounded, and how many not at all.
-- Lock: ACCESS SHARE on staging. Transaction: either. Undone by: nothing, it only reads.
SELECT
    count(*) FILTER (
        WHERE quantity <> round(quantity, 2) AND round(quantity, 2) < 100000000
    ),
    count(*) FILTER (WHERE round(quantity, 2) >= 100000000)
FROM public.cites_trade_records_staging
