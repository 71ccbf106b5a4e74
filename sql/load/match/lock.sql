-- Purpose: locks everybody out of staging while its rows are matched.
-- Lock: ACCESS EXCLUSIVE on staging, which nobody else uses. Transaction: yes.
-- Undone by: the end of the transaction.
LOCK TABLE {staging} IN ACCESS EXCLUSIVE MODE
