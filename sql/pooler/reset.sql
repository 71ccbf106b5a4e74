-- Purpose: undoes the settings made when the session was opened: behind a pooler they also
--   apply to the next client of the server's session.
-- Lock: none. Transaction: no. Undone by: not needed.
RESET ALL
