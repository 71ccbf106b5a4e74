-- Purpose: checks a foreign key against every row.
-- Lock: SHARE UPDATE EXCLUSIVE on staging, ROW SHARE on the referred table.
-- Transaction: no. Undone by: nothing needs to.
ALTER TABLE {staging} VALIDATE CONSTRAINT {constraint}
