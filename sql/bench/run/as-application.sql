-- Purpose: from here on has the server compile queries if it does so for the application. sterna's
--   own questions, which have been asked before, would take a second or more to compile.
-- Lock: none. Transaction: no. Undone by: the end of the session.
RESET jit
