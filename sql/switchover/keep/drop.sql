-- Purpose: drops the table of what is left behind: there is nothing, or it will be filled
--   again.
-- Lock: ACCESS EXCLUSIVE on it, which nobody else uses. Transaction: either.
-- Undone by: nothing.
DROP TABLE {left} RESTRICT
