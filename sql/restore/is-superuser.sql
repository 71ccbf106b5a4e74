-- Purpose: whether this session could become all-powerful: what a restore executes could
--   then, too.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT EXISTS (
    SELECT
    FROM pg_catalog.pg_roles AS r
    WHERE r.rolsuper AND pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER')
)
