-- Purpose: copies all rows of a distributed table; each worker copies those of its own shards.
-- Lock: ACCESS SHARE on the table. Transaction: yes, with copy-create.sql.
-- Undone by: distribution/copy-drop.sql.
INSERT INTO {copy} SELECT * FROM {table}
