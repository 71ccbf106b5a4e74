-- Purpose: lets a staging column hold every decimal, as the user requested.
-- Lock: ACCESS EXCLUSIVE on staging, which is new. Transaction: yes.
-- Undone by: table/stage/drop.sql.
ALTER TABLE {staging} ALTER COLUMN {column} TYPE numeric
