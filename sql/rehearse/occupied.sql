-- Purpose: the server's version, and a relation that already exists in a database that is to be
--   restored into.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
SELECT
    current_setting('server_version'),
    current_setting('server_version_num')::integer / 10000,
    (
        SELECT min(format('%I.%I', n.nspname, c.relname))
        FROM pg_catalog.pg_class AS c
        INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    )
