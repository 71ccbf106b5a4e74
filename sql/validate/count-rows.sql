-- Purpose: one pass over the table: counts all rows, and for each condition those that meet it.
-- Lock: ACCESS SHARE. Transaction: yes, on a shared snapshot.
-- Undone by: nothing, it only reads.
SELECT ARRAY[count(*)] || ARRAY[{counts}]::bigint[] FROM {checked} AS t
