-- Purpose: makes version 2 of the ledger from version 1, that of 0.1.0. Whoever changes
--   sql/ledger/parts adds here what the same change needs in a ledger that exists, its
--   rows included; a test holds the upgraded catalog against a new one. Once a release
--   has written version 2 this file stands, and the next change begins upgrade/3.sql.
-- Lock: ACCESS EXCLUSIVE on what it alters, while no other sterna is at work.
-- Transaction: yes, under sterna's setup lock. Undone by: nothing; it is one transaction.

-- The journal: one typed table per journaled table in place of sterna.journal.

-- The other parts.
