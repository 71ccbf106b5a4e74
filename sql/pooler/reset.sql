-- Purpose: takes back what opening the session has set: behind a pooler it has been set
--   for whoever gets the server's session next. Lock: none. Transaction: no.
-- Undone by: nothing needs to.
RESET ALL
