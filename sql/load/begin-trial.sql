-- Purpose: a transaction in which rows are only tried; constraints that would
--   speak up at its end speak up at once.
-- Lock: none. Transaction: begins one. Undone by: ROLLBACK, always.
BEGIN READ WRITE;
SET CONSTRAINTS ALL IMMEDIATE
