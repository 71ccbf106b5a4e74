-- Purpose: the indexes of a table and of its partitions, and whether the server uses them. An
--   invalid one whose name ends like those of REINDEX CONCURRENTLY was left behind by an
--   interrupted rebuild. Those of a partitioned table consist of its partitions' indexes.
-- Lock: none. Transaction: either. Undone by: nothing, it only reads.
WITH RECURSIVE tree (oid) AS (
    SELECT $1::oid
    UNION
    SELECT h.inhrelid FROM pg_catalog.pg_inherits AS h INNER JOIN tree ON h.inhparent = tree.oid
)
SELECT
    n.nspname::text,
    c.relname::text,
    i.indisvalid AND i.indisready AND i.indislive,
    NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$',
    EXISTS (
        SELECT FROM pg_catalog.pg_constraint AS con
        WHERE con.conindid = i.indexrelid AND con.contype = 'x'
    ),
    pg_catalog.pg_relation_size(i.indexrelid),
    c.relkind = 'I'
FROM pg_catalog.pg_index AS i
INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE i.indrelid IN (SELECT oid FROM tree)
ORDER BY c.relname
