-- Purpose: gives a session that somebody else is to use the state of a new one, except for
--   prepared statements, which belong to the driver. Tells whether a transaction was still open,
--   in which case the session must not be used again.
-- Lock: none. Transaction: no. Undone by: nothing, it only forgets.

-- Together these are one transaction, which began with the message unless another was open.
SELECT pg_catalog.now() OPERATOR(pg_catalog.=) pg_catalog.statement_timestamp();
CLOSE ALL;
SET SESSION AUTHORIZATION DEFAULT;
-- A role's own setting of role, which SET SESSION AUTHORIZATION has not restored before
-- November 2024.
RESET ROLE;
RESET ALL;
UNLISTEN *;
SELECT pg_catalog.pg_advisory_unlock_all();
DISCARD PLANS;
DISCARD TEMP;
DISCARD SEQUENCES
