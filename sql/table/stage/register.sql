-- Purpose: records that a table is sterna's own, with the fingerprint of production when it was
--   created from it.
-- Lock: none. Transaction: yes, that of table/stage/create.sql.
-- Undone by: table/stage/unregister.sql.
INSERT INTO sterna.staging (relid, schema_name, table_name, fingerprint) VALUES ($1, $2, $3, $4)
