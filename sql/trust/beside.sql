-- Purpose: a relation next to the table that is replaced, and why it must not be read: reading
--   a view runs what it calls. A view must belong to a superuser or to the connected role; a
--   table may also belong to the owner of the table that is replaced. Also the code of untrusted
--   owners that reading it would run, by trust/code.sql.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT CASE
    WHEN o.rolsuper OR o.rolname = current_user THEN NULL
    WHEN c.relkind IN ('r', 'p')
        AND c.relowner = (
            SELECT t.relowner
            FROM pg_catalog.pg_class AS t
            INNER JOIN pg_catalog.pg_namespace AS m ON m.oid = t.relnamespace
            WHERE m.nspname = $3 AND t.relname = $4
        )
        THEN NULL
    ELSE format(
        'is a %s of %I',
        CASE WHEN c.relkind IN ('r', 'p') THEN 'table' ELSE 'view' END,
        o.rolname
    )
END, ARRAY({code})
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_catalog.pg_roles AS o ON o.oid = c.relowner
WHERE n.nspname = $1 AND c.relname = $2
