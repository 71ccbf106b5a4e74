-- Purpose: whether a role can log in, and whether it has all that the connected role may:
--   what is planted in the database must not run with that.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT rolcanlogin, pg_catalog.pg_has_role(oid, current_user, 'MEMBER')
FROM pg_catalog.pg_roles
WHERE rolname = $1
