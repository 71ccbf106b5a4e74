-- Purpose: drops from a copy a table that sterna made on production.
-- Lock: ACCESS EXCLUSIVE on it, in a copy. Transaction: either. Undone by: another restore.
DROP TABLE IF EXISTS {table}
