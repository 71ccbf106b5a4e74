-- Purpose: the number of rows of the live table and of its copy, in the snapshot that the copy
--   was made in.
-- Lock: ACCESS SHARE on both. Transaction: yes, that of table/backup/create.sql.
-- Undone by: nothing, it only reads.
SELECT (SELECT count(*) FROM {table}), (SELECT count(*) FROM {backup})
