-- Purpose: rows of the live table and of its copy, in the snapshot that it was made in.
-- Lock: ACCESS SHARE on both. Transaction: yes, that of table/backup/create.sql.
-- Undone by: nothing, it reads.
SELECT (SELECT count(*) FROM {table}), (SELECT count(*) FROM {backup})
