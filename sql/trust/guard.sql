-- Purpose: locks a table ($1) that the transaction is going to write to, and fails where
--   that would run code of somebody else's.
-- Lock: ROW EXCLUSIVE on the table. Transaction: yes, first of all. Undone by: its end.
SELECT sterna.guarded($1)
