-- Purpose: how many rows a table has, and a sum over all of them that does not depend on
--   their order.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it reads.
SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text FROM {table} AS t
