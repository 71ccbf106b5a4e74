-- Purpose: marks a session as working on a table, for as long as it lasts: the session of a
--   killed client may still be running its last statement. The first key stands for sterna's
--   sessions, the second for the table.
-- Lock: an advisory lock of the session, shared. Transaction: no.
-- Undone by: the end of the session.
SELECT pg_catalog.pg_advisory_lock_shared(1937010274, pg_catalog.hashtext($1))
