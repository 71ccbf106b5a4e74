-- Purpose: keeps two commands from working on one table at the same time. The first key stands
--   for sterna ("stna"), the second for the table.
-- Lock: an advisory lock of the session, or none and false. Transaction: no.
-- Undone by: the end of the session.
SELECT pg_catalog.pg_try_advisory_lock(1937010273, pg_catalog.hashtext($1))
