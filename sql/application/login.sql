-- Purpose: who logged in, and which table it finds by a name. The operators are named with
--   their schema: this session has the application's search path.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT
    session_user::text,
    (
        SELECT c.oid
        FROM pg_catalog.pg_class AS c
        INNER JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
        WHERE n.nspname::text OPERATOR(pg_catalog.=) $1 AND c.relname::text OPERATOR(pg_catalog.=) $2
    )
