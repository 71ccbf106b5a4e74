-- Purpose: makes a new table a partition of staging, with the bound of its counterpart.
-- Lock: ACCESS EXCLUSIVE on both, which are new. Transaction: yes, that of
--   table/stage/create.sql.
-- Undone by: table/stage/drop.sql.
ALTER TABLE {parent} ATTACH PARTITION {staging} {bound}
