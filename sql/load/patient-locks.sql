-- Purpose: waits for locks as long as it takes again.
-- Lock: none. Transaction: no. Undone by: load/short-locks.sql.
SET lock_timeout = 0
