-- Purpose: keeps others from adding the same species between looking and adding.
-- Lock: SHARE ROW EXCLUSIVE on species: readers and foreign keys go on.
-- Transaction: yes, first of all. Undone by: its end.
SET LOCAL lock_timeout = '2s';
LOCK TABLE {species} IN SHARE ROW EXCLUSIVE MODE;
