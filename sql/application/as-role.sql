-- Purpose: the rest of the transaction is asked as a role of the login's, as an API does
--   it. It narrows what the login may; what undoes it is the login again, and no more.
-- Lock: none. Transaction: yes. Undone by: its end.
SET LOCAL ROLE {role}
