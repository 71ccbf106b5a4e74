-- Purpose: a session sees what the application's policies let it see.
-- Lock: none. Transaction: no. Undone by: the end of the session.
SET row_security = on
