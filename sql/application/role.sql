-- Purpose: whether a role can log in, and whether it has all rights of the connected role: code
--   planted in the database must not run with those.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT rolcanlogin, pg_catalog.pg_has_role(oid, current_user, 'MEMBER')
FROM pg_catalog.pg_roles
WHERE rolname = $1
