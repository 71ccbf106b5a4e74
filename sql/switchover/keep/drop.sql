-- Purpose: the table of what stays behind goes: nothing does, or it is to be filled again.
-- Lock: ACCESS EXCLUSIVE on it, which nobody else uses. Transaction: either.
-- Undone by: nothing.
DROP TABLE {left} RESTRICT
