-- Purpose: the number of rows of a table, and a checksum of all of them that does not depend on
--   their order.
-- Lock: ACCESS SHARE. Transaction: either. Undone by: nothing, it only reads.
SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text FROM {table} AS t
