-- Purpose: drops a copy of a distributed table, or the list of rows that differ from it.
-- Lock: ACCESS EXCLUSIVE on it; nobody else uses it. Transaction: either. Undone by: nothing.
DROP TABLE IF EXISTS {copy}
