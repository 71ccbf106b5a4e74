-- Purpose: the number of rows of a table, as in a dump: without those of tables that inherit
--   from it.
-- Lock: ACCESS SHARE. Transaction: yes, on the dump's snapshot.
-- Undone by: nothing, it only reads.
SELECT count(*) FROM ONLY {table}
