-- Purpose: how many rows of staging have the id that production has for the same
--   record, how many have an id that production does not know, and how many have
--   production's id of another record. Lock: ACCESS SHARE on both tables.
-- Transaction: either. Undone by: nothing, it reads.
SELECT
    count(*) FILTER (WHERE p.record_id = s.record_id),
    count(*) FILTER (WHERE p.id IS NULL),
    count(*) FILTER (WHERE p.record_id IS DISTINCT FROM s.record_id AND p.id IS NOT NULL)
FROM public.cites_trade_records_staging AS s
LEFT JOIN public.cites_trade_records AS p ON p.id = s.id
