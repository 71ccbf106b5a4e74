-- Purpose: runs the rest of the transaction as a role of the login, as an API does. It only
--   narrows the login's rights: code that resets the role gets the login's rights back, and no
--   more.
-- Lock: none. Transaction: yes. Undone by: the end of the transaction.
SET LOCAL ROLE {role}
