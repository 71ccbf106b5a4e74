-- Purpose: checks deferred constraints now, because a table with pending trigger events cannot
--   be altered.
-- Lock: none. Transaction: yes. Undone by: the end of the transaction.
SET CONSTRAINTS ALL IMMEDIATE
