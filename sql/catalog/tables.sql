-- Purpose: lists tables, to name the one that somebody meant who has misspelt it.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT pg_catalog.format('%s.%s', n.nspname, c.relname)
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    c.relkind IN ('r', 'p')
    AND n.nspname !~ '^pg_'
    AND n.nspname NOT IN ('information_schema', 'sterna')
ORDER BY 1
LIMIT 10000
