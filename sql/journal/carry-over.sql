-- Purpose: carries recorded writes over: brings the rows that were written to into their
--   current state in the other table.
-- Lock: ROW EXCLUSIVE on the target.
-- Transaction: yes; REPEATABLE READ, unless writers are locked out. Undone by: its rollback.
SELECT entries, inserted, updated, deleted
FROM sterna.carry_over($1::oid::regclass, $2::oid::regclass, $3)
