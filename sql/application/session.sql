-- Purpose: a session sees what the application's policies let it see, and its statements
--   are compiled as the application's are.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SET row_security = on;
RESET jit;
