-- Purpose: whether a role exists, and whether this one may act as it.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT pg_catalog.pg_has_role(oid, 'MEMBER') FROM pg_catalog.pg_roles WHERE rolname = $1
