-- Purpose: names the session ($1), so that people find in pg_stat_activity and in the server's log
--   what it is used for.
-- Lock: none. Transaction: either; a rollback takes the name back. Undone by: the end of the
--   session.
SELECT pg_catalog.set_config('application_name', $1, false)
