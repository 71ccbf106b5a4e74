-- Purpose: the year that it is, as the server counts it.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT extract(year FROM current_date)::int
