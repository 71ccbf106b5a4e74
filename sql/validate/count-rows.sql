-- Purpose: one pass over the table: all rows, and for each condition those of which
--   it is true. Lock: ACCESS SHARE. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it reads.
SELECT ARRAY[count(*)] || ARRAY[{counts}]::bigint[] FROM {checked} AS t
