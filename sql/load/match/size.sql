-- Purpose: how many rows production has, counted up to a limit and no further.
-- Lock: ACCESS SHARE on production. Transaction: either.
-- Undone by: nothing, it reads.
SELECT count(*) FROM (SELECT FROM {table} LIMIT $1) AS counted
