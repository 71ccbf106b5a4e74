-- Purpose: takes every lock up front and in one order, so that no lock is waited for while
--   another is held for long. The snapshot is taken after it: writes by others to the summary
--   in the meantime fail this transaction, not theirs.
-- Lock: ACCESS SHARE on species and trade, ROW EXCLUSIVE on the summary: neither readers nor
--   writers wait.
-- Transaction: yes, first of all. Undone by: the end of the transaction.
SET LOCAL lock_timeout = '1s';
-- The six groupings are hashed in one pass if they fit, and sorted one by one otherwise.
SET LOCAL work_mem = '64MB';
LOCK TABLE {species} IN ACCESS SHARE MODE;
LOCK TABLE {trade} IN ACCESS SHARE MODE;
LOCK TABLE {summary} IN ROW EXCLUSIVE MODE;
