-- Purpose: upgrades the ledger from version 2 to version 3. Whoever changes sql/ledger/parts adds
--   here what the same change needs in an existing ledger, including its rows; a test compares the
--   upgraded catalog with a new one. Once version 3 has been in use, this file is frozen and the
--   next change begins upgrade/4.sql.
-- Lock: ACCESS EXCLUSIVE on what it alters, while no other sterna is running.
-- Transaction: yes, under sterna's setup lock. Undone by: nothing; it is one transaction.

-- Partitions are registered with the table that they belong to.
ALTER TABLE sterna.staging ADD COLUMN of oid;
UPDATE sterna.staging SET of = relid;
ALTER TABLE sterna.staging ALTER COLUMN of SET NOT NULL;
