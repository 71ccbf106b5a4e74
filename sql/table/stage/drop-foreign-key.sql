-- Purpose: takes a foreign key off staging, which was there while rows came in.
-- Lock: ACCESS EXCLUSIVE on staging and the referred table, briefly.
-- Transaction: no. Undone by: table/stage/add-foreign-key.sql.
ALTER TABLE {staging} DROP CONSTRAINT {constraint}
