-- Purpose: lets policies filter rows, as they do for the application. A view runs with its
--   owner's rights, and sterna's sessions fail where rows would be filtered.
-- Lock: none. Transaction: yes, it holds until the end of the savepoint.
-- Undone by: ROLLBACK TO SAVEPOINT.
SAVEPOINT before;
SET LOCAL row_security = on;
