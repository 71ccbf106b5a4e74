-- Purpose: the role that logged in, and the oid of the table with these names. Operators are
--   qualified with their schema, because this session has the application's search path.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    session_user::text,
    (
        SELECT c.oid
        FROM pg_catalog.pg_class AS c
        INNER JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
        WHERE n.nspname::text OPERATOR(pg_catalog.=) $1 AND c.relname::text OPERATOR(pg_catalog.=) $2
    )
