-- Purpose: takes many locks in one statement, so that one time limit applies to all of them.
-- Lock: the given ones. Transaction: yes. Undone by: the end of the transaction.
DO $do$ BEGIN {locks} END $do$
