-- Purpose: has Citus pass on the limits that follow to the workers, in this transaction.
-- Lock: none. Transaction: yes. Undone by: the end of the transaction.
SET LOCAL citus.propagate_set_commands = 'local'
