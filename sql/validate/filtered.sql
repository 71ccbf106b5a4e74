-- Purpose: lets policies filter rows, as they do for the application. A view runs with
--   the rights of its owner, and sterna's sessions refuse what would be filtered.
-- Lock: none. Transaction: yes, it holds until the end of the savepoint.
-- Undone by: ROLLBACK TO SAVEPOINT.
SAVEPOINT before;
SET LOCAL row_security = on;
