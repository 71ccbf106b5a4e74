-- Purpose: the rest of the transaction is the application's, with what its policies
--   let it see. Lock: none. Transaction: yes. Undone by: its end.
SET LOCAL ROLE {role};
SET LOCAL row_security = on
