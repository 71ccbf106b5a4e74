-- Purpose: begins a transaction in which rows are only tried; constraints that are checked at
--   its end are checked at once.
-- Lock: none. Transaction: begins one. Undone by: ROLLBACK, always.
BEGIN READ WRITE;
SET CONSTRAINTS ALL IMMEDIATE
