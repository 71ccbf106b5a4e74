-- Purpose: notes that a table is sterna's own. Lock: none. Transaction: yes, that
--   of stage/create.sql. Undone by: stage/unregister.sql.
INSERT INTO sterna.staging (relid, schema_name, table_name) VALUES ($1, $2, $3)
