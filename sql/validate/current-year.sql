-- Purpose: the current year, by the server's clock.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT extract(year FROM current_date)::int
