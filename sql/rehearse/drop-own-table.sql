-- Purpose: takes away a table that sterna had made on production, from a copy.
-- Lock: ACCESS EXCLUSIVE on it, in a copy. Transaction: either. Undone by: restoring again.
DROP TABLE IF EXISTS {table}
