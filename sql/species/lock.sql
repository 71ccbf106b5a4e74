-- Purpose: keeps others from adding the same species between the lookup and the insert.
-- Lock: SHARE ROW EXCLUSIVE on species; readers and foreign keys are not blocked.
-- Transaction: yes, first of all. Undone by: the end of the transaction.
SET LOCAL lock_timeout = '2s';
LOCK TABLE {species} IN SHARE ROW EXCLUSIVE MODE;
