-- Purpose: how many rows production has, counted only up to a limit.
-- Lock: ACCESS SHARE on production. Transaction: either. Undone by: nothing, it only reads.
SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT $1) AS counted
