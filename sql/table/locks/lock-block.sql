-- Purpose: many locks as one statement, so that one time limit holds for all of them.
-- Lock: those given. Transaction: yes. Undone by: its end.
DO $do$ BEGIN {locks} END $do$
