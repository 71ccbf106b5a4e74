-- Purpose: has rows of the new release that rows of other tables refer to carried over,
--   whatever else is left behind.
-- Lock: ACCESS SHARE on both tables and on those that refer to them. Transaction: either.
-- Undone by: the end of the journal.
SELECT sterna.carry_referred($1::oid::regclass, $2::oid::regclass)
