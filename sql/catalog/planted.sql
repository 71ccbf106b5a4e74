-- Purpose: why a relation beside the table that is replaced is not to be read: reading a
--   view runs what it calls, reading a table evaluates what is constant in its indexes and
--   statistics, with the rights of who reads. A view has to belong to a superuser or to the
--   connected role; a table may also belong to the owner of the table that is replaced.
--   No row where it may be read, or is not there.
-- Lock: none. Transaction: either. Undone by: nothing, it reads.
SELECT format(
    'is a %s of %I',
    CASE WHEN c.relkind IN ('r', 'p') THEN 'table' ELSE 'view' END,
    o.rolname
)
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_catalog.pg_roles AS o ON o.oid = c.relowner
WHERE n.nspname = $1 AND c.relname = $2
    AND NOT (
        o.rolsuper OR o.rolname = current_user
        OR (
            c.relkind IN ('r', 'p')
            AND c.relowner = (
                SELECT t.relowner
                FROM pg_catalog.pg_class AS t
                INNER JOIN pg_catalog.pg_namespace AS m ON m.oid = t.relnamespace
                WHERE m.nspname = $3 AND t.relname = $4
            )
        )
    )
