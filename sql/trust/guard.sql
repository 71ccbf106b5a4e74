-- Purpose: locks a table ($1) that the transaction is going to write to, and fails if that
--   would run untrusted code of another role.
-- Lock: ROW EXCLUSIVE on the table. Transaction: yes, first of all.
-- Undone by: the end of the transaction.
SELECT sterna.guarded($1)
