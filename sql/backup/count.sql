-- Purpose: the rows of a table without those of tables that inherit from it, as a
--   dump has them. Lock: ACCESS SHARE. Transaction: yes, on the dump's snapshot.
-- Undone by: nothing, it reads.
SELECT count(*) FROM ONLY {table}
