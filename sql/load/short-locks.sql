-- Purpose: waits for a lock so briefly that nobody notices who waits behind it.
-- Lock: none. Transaction: no. Undone by: load/patient-locks.sql.
SET lock_timeout = '100ms'
