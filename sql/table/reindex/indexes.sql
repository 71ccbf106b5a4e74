-- Purpose: the indexes of a table and whether the server uses them. An invalid one whose name
--   ends like those of REINDEX CONCURRENTLY was left behind by an interrupted rebuild.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    n.nspname::text,
    c.relname::text,
    i.indisvalid AND i.indisready AND i.indislive,
    NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$',
    EXISTS (
        SELECT FROM pg_catalog.pg_constraint AS con
        WHERE con.conindid = i.indexrelid AND con.contype = 'x'
    ),
    pg_catalog.pg_relation_size(i.indexrelid)
FROM pg_catalog.pg_index AS i
INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE i.indrelid = $1
ORDER BY c.relname
