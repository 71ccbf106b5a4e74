-- Purpose: whether this session could become a superuser: code that a restore executes could
--   then do so, too.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT EXISTS (
    SELECT
    FROM pg_catalog.pg_roles AS r
    WHERE r.rolsuper AND pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER')
)
