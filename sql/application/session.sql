-- Purpose: makes a session see what the application's policies let it see, and compiles its
--   statements (jit) as the application's are compiled.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SET row_security = on;
RESET jit;
